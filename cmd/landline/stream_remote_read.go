package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// Read implements io.Reader.
func (f *remote) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.seek(f.pos); err != nil {
		return 0, err
	}
	n, err := f.more(p)
	f.pos += int64(n)
	return n, err
}

// ReadAt implements io.ReaderAt, where the server gives parts.
func (f *remote) ReadAt(p []byte, off int64) (n int, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for n < len(p) {
		at := off + int64(n)
		if at >= f.size {
			return n, io.EOF
		}
		block, err := f.block(at / remoteBlock)
		if err != nil {
			return n, err
		}
		n += copy(p[n:], block[at%remoteBlock:])
	}
	return n, nil
}

// block gives a piece of the file, of those that were used last without asking.
func (f *remote) block(i int64) ([]byte, error) {
	if b, ok := f.blocks[i]; ok {
		f.recent = append(slices.DeleteFunc(f.recent, func(j int64) bool { return i == j }), i)
		return b, nil
	}
	if err := f.seek(i * remoteBlock); err != nil {
		return nil, err
	}
	b := make([]byte, min(remoteBlock, f.size-f.at))
	for n := 0; n < len(b); {
		m, err := f.more(b[n:])
		if err != nil {
			return nil, err
		}
		n += m
	}
	if len(f.recent) == remoteBlocks {
		delete(f.blocks, f.recent[0])
		f.recent = f.recent[1:]
	}
	f.blocks[i], f.recent = b, append(f.recent, i)
	return b, nil
}

// seek has the next bytes come from somewhere else.
func (f *remote) seek(at int64) error {
	if at == f.at {
		return nil
	}
	if !f.parts {
		return finalError{errors.New("the server gives no parts of files: download it first")}
	}
	f.drop()
	f.at = at
	return nil
}

// more reads on from where at is, and asks again for what breaks. It returns at least one byte, or an error.
func (f *remote) more(p []byte) (int, error) {
	for try := 0; ; try++ {
		if f.over || f.size >= 0 && f.at >= f.size {
			return 0, io.EOF
		}
		n, err := f.once(p)
		var final finalError
		switch {
		case n > 0:
			return n, nil
		case f.over:
			return 0, io.EOF
		case f.ctx.Err() != nil:
			return 0, f.ctx.Err()
		case errors.As(err, &final):
			return 0, err
		case !f.parts:
			return 0, fmt.Errorf("the connection broke, and the server does not go on in the middle of a file: %w", err)
		case try >= len(remotePauses):
			return 0, fmt.Errorf("the connection broke, and asking again did not help: %w", err)
		}
		if err := f.pause(remotePauses[try]); err != nil {
			return 0, err
		}
	}
}

func (f *remote) pause(d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-f.ctx.Done():
		return f.ctx.Err()
	}
}

// once reads once, and lets go of a request that ends, breaks, or stands still.
func (f *remote) once(p []byte) (int, error) {
	if f.body == nil {
		if err := f.request(); err != nil {
			return 0, err
		}
	}
	stalled := time.AfterFunc(remoteStall, f.halt)
	n, err := f.body.Read(p)
	inTime := stalled.Stop()
	f.at += int64(n)
	if err != nil {
		f.drop()
	}
	switch {
	case errors.Is(err, context.Canceled) && !inTime:
		err = fmt.Errorf("no byte for %v", remoteStall)
	case err == io.EOF && f.size < 0:
		f.over = true
	case err == io.EOF && f.at < f.size:
		err = io.ErrUnexpectedEOF
	}
	return n, err
}
