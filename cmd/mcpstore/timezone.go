package main

import (
	"errors"
	"time"
	_ "time/tzdata" // for machines without a database of time zones

	"github.com/spf13/pflag"

	"github.com/mcpstore/mcpstore/internal/store"
)

func (e *env) addTimeZoneFlag(f *pflag.FlagSet) {
	f.Var(zoneFlag{&e.zone}, "timezone", "time zone of the stores, by its IANA `name` such as Asia/Taipei: it decides what day today is, and times are shown in it (default: this machine's)")
}

// local returns t in the time zone of the shops.
func (e *env) local(t time.Time) time.Time { return t.In(e.zone) }

// localTime shows a time as the clocks in the shops do.
func (e *env) localTime(t time.Time) string { return e.local(t).Format(store.TimeLayout) }

// zoneFlag is a flag's value: the name of a time zone.
type zoneFlag struct{ zone **time.Location }

func (z zoneFlag) Type() string { return "time zone" }

func (z zoneFlag) String() string {
	if *z.zone == time.Local {
		return "" // the default, which the flag's usage states
	}
	return (*z.zone).String()
}

func (z zoneFlag) Set(name string) error {
	found, err := time.LoadLocation(name)
	if err != nil || name == "" { // which would be UTC
		return &usageError{errors.New("unknown time zone"), "give the IANA name of one, such as Asia/Taipei, Europe/Berlin or America/New_York"}
	}
	*z.zone = found
	return nil
}
