package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/pflag"

	"github.com/mcpstore/mcpstore/internal/access"
	"github.com/mcpstore/mcpstore/internal/store"
	"github.com/mcpstore/mcpstore/internal/store/demo"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
)

// addDatabaseFlags adds the flags that every command with a database has.
func (e *env) addDatabaseFlags(f *pflag.FlagSet, path *string) {
	f.StringVar(path, "db", "", "`file` of the database (default: mcpstore/mcpstore.db in your data folder)")
	e.addTimeZoneFlag(f)
}

// database is where the stock is kept, and who may ask for it. This file alone
// knows which kinds of databases there are.
type database interface {
	store.Store
	access.Storage

	// Backup copies everything to a new file.
	Backup(ctx context.Context, path string) error
	// Guard watches the database until it is closed, and logs what happens to it.
	Guard(log *slog.Logger)
}

// restoreDatabase makes the database at to what the backup at from is, and returns
// where the old one is kept, "" if there was none. A backup that is damaged is
// refused, unless tell is there to be called with what is wrong.
func restoreDatabase(ctx context.Context, from, to string, tell func([]store.Discrepancy)) (kept string, err error) {
	if tell == nil {
		return sqlite.Restore(ctx, from, to)
	}
	return sqlite.RestoreDamaged(ctx, from, to, mostDiscrepancies+1, tell)
}

// openDatabase opens the stock, making it first where there is none, with demo
// data if seed says so. It returns where it is. What is done to files besides is
// logged, to [slog.Default] if log is nil.
func (e *env) openDatabase(ctx context.Context, path string, seed bool, log *slog.Logger) (database, string, error) {
	cfg, err := e.databaseConfig(path)
	if err != nil {
		return nil, "", err
	}
	cfg.Log = log
	if seed {
		cfg.Seed = func() store.Catalog { return demo.CatalogOn(store.DateOf(e.local(e.now()))) }
	}
	db, err := sqlite.Open(ctx, cfg)
	return db, cfg.Path, err
}

// openExisting opens the stock where there is some.
func (e *env) openExisting(ctx context.Context, path string) (database, string, error) {
	cfg, err := e.databaseConfig(path)
	if err != nil {
		return nil, "", err
	}
	if _, err := os.Stat(cfg.Path); errors.Is(err, fs.ErrNotExist) {
		if log, err := os.Stat(cfg.Path + "-wal"); err == nil && log.Size() > 0 {
			return nil, "", &failure{fmt.Errorf("the database %q is gone, but its write-ahead log is there", cfg.Path),
				"put the file back beside its log, or restore a backup, which keeps the log: mcpstore db restore FILE; nothing was changed"}
		}
		return nil, "", &failure{fmt.Errorf("there is no database at %q yet", cfg.Path),
			"start mcpstore, or bring your own stock in: mcpstore import FILE; --db names another database"}
	}
	db, err := sqlite.Open(ctx, cfg)
	return db, cfg.Path, err
}

// databaseConfig says where the database is that path means.
func (e *env) databaseConfig(path string) (sqlite.Config, error) {
	cfg := sqlite.Config{Path: path, Now: e.now, Location: e.zone}
	if scheme, _, is := strings.Cut(path, "://"); is {
		return sqlite.Config{}, &usageError{fmt.Errorf("--db: %s databases are not supported", scheme), "give a file, such as --db shop.db"}
	}
	if path != "" {
		return cfg, nil
	}
	folder := dataFolder(runtime.GOOS, e.getenv)
	if folder == "" {
		return sqlite.Config{}, &usageError{errors.New("no home folder to keep the database in"), "say where, such as --db shop.db"}
	}
	cfg.Path, cfg.MakeDir = filepath.Join(folder, "mcpstore", "mcpstore.db"), true
	return cfg, nil
}

// asUser returns a context in which the user of the command line asks.
func asUser(ctx context.Context, getenv func(string) string) context.Context {
	name := getenv("USER")
	if u, err := user.Current(); err == nil && u.Username != "" {
		name = u.Username
	}
	return store.WithCaller(ctx, store.Caller{ID: "user:" + name, Client: "mcpstore " + programVersion()})
}

// dataFolder is where an operating system, named as GOOS does, has programs
// keep a user's data, or "".
func dataFolder(goos string, getenv func(string) string) string {
	home := getenv("HOME")
	switch {
	case goos == "windows":
		return getenv("LOCALAPPDATA")
	case goos != "darwin" && getenv("XDG_DATA_HOME") != "":
		return getenv("XDG_DATA_HOME")
	case home == "":
		return ""
	case goos == "darwin":
		return filepath.Join(home, "Library", "Application Support")
	default:
		return filepath.Join(home, ".local", "share")
	}
}
