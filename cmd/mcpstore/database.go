package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/mcpstore/mcpstore/internal/store/demo"
	"github.com/mcpstore/mcpstore/internal/store/sqlite"
)

// openDatabase opens the stock, making it first where there is none, with demo
// data if seed says so. It returns where it is.
func openDatabase(ctx context.Context, path string, seed bool, getenv func(string) string) (*sqlite.DB, string, error) {
	if scheme, _, is := strings.Cut(path, "://"); is {
		return nil, "", &usageError{fmt.Errorf("--db: %s databases are not supported", scheme), "give a file, such as --db shop.db"}
	}
	cfg := sqlite.Config{Path: path}
	if path == "" {
		folder := dataFolder(runtime.GOOS, getenv)
		if folder == "" {
			return nil, "", &usageError{errors.New("no home folder to keep the database in"), "say where, such as --db shop.db"}
		}
		cfg.Path, cfg.MakeDir = filepath.Join(folder, "mcpstore", "mcpstore.db"), true
	}
	if seed {
		cfg.Seed = demo.Catalog
	}
	db, err := sqlite.Open(ctx, cfg)
	return db, cfg.Path, err
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
