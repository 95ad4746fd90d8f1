package webm

import (
	"fmt"
	"io"
)

// output is the file below: written forward, and patched where it can seek.
type output struct {
	w    io.Writer
	seek io.Seeker // nil: cannot seek
	base int64     // offset in the file below at which ours starts
	at   int64     // bytes written
}

func newOutput(w io.Writer) output {
	o := output{w: w}
	if s, ok := w.(io.Seeker); ok {
		if base, err := s.Seek(0, io.SeekCurrent); err == nil {
			o.seek, o.base = s, base
		}
	}
	return o
}

func (o *output) write(b []byte) error {
	n, err := o.w.Write(b)
	o.at += int64(n)
	if err != nil {
		return fmt.Errorf("webm: writing at byte %d: %w", o.at, err)
	}
	return nil
}

// confirm gives seeking up when what was written did not go where it should have, as in a file that
// appends.
func (o *output) confirm() {
	if o.seek == nil {
		return
	}
	if at, err := o.seek.Seek(0, io.SeekCurrent); err != nil || at != o.base+o.at {
		o.seek = nil
	}
}

// patch overwrites bytes at an earlier offset.
func (o *output) patch(at int64, b []byte) error {
	if _, err := o.seek.Seek(o.base+at, io.SeekStart); err != nil {
		return fmt.Errorf("webm: seeking to byte %d: %w", at, err)
	}
	if _, err := o.w.Write(b); err != nil {
		return fmt.Errorf("webm: writing at byte %d: %w", at, err)
	}
	if _, err := o.seek.Seek(o.base+o.at, io.SeekStart); err != nil {
		return fmt.Errorf("webm: seeking to byte %d: %w", o.at, err)
	}
	return nil
}
