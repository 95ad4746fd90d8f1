package main

import (
	"context"
	"fmt"
	"path"
	"strconv"
	"strings"
	"time"

	"landline/relay/record"
)

// recordFlags is where and what serve records.
type recordFlags struct {
	Recordings        string    `placeholder:"DIR" group:"record" help:"Folder to record rooms into, for members whose token grants record (without keys: for everybody), and for landline record. Without it nothing is recorded."`
	RecordRooms       string    `placeholder:"PATTERN" group:"record" help:"Record rooms whose name fits whenever somebody is there: * stands for any characters, ? for one."`
	RecordingsFile    byteCount `default:"4G" placeholder:"SIZE" group:"record" help:"Size at which a recording goes on in another file."`
	RecordingsLength  span      `default:"24h" placeholder:"TIME" group:"record" help:"Length at which a recording ends."`
	RecordingsReserve byteCount `default:"256M" placeholder:"SIZE" group:"record" help:"So much of the disk is left free: recordings wait until there is more."`
}

func (c *recordFlags) checkRecord() error {
	switch _, err := path.Match(c.RecordRooms, ""); {
	case err != nil:
		return usagef("--record-rooms: %w", err)
	case c.RecordRooms != "" && c.Recordings == "":
		return usagef("--record-rooms needs --recordings")
	case c.RecordingsFile < 1<<20:
		return usagef("--recordings-file: 1M at least")
	case c.RecordingsLength <= 0:
		return usagef("--recordings-length: more than 0")
	}
	return nil
}

// openRecordings opens the folder; nil if there is none.
func (c *recordFlags) openRecordings(con *console) (*record.Store, error) {
	if c.Recordings == "" {
		return nil, nil
	}
	store, err := record.Open(c.Recordings, record.Options{MaxFile: int64(c.RecordingsFile), MaxLength: c.RecordingsLength.duration(),
		Reserve: uint64(c.RecordingsReserve), Logger: con.log})
	if err != nil {
		return nil, fmt.Errorf("--recordings: %w", err)
	}
	return store, nil
}

// closeTime is for files to be completed that draining has left.
const closeTime = 2 * time.Second

func closeRecordings(con *console, store *record.Store) {
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	if err := store.Close(ctx); err != nil {
		con.log.Warn("recordings are not complete, and will be at the next start", "error", err)
	}
}

// byteCount is a size on the command line: bytes, or with K, M, G behind it units of 1024.
type byteCount int64

// UnmarshalText implements encoding.TextUnmarshaler.
func (b *byteCount) UnmarshalText(text []byte) error {
	s, shift := string(text), 0
	for i, unit := range []string{"K", "M", "G"} {
		if cut, ok := strings.CutSuffix(strings.ToUpper(s), unit); ok {
			s, shift = cut, 10*(i+1)
		}
	}
	n, err := strconv.ParseUint(s, 10, 31)
	if err != nil {
		return fmt.Errorf("%q is no size: want bytes, or a number with K, M or G", text)
	}
	*b = byteCount(n << shift)
	return nil
}
