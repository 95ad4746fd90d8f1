package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"landline/signaling"
	"landline/signaling/client"
)

// incomingFile saves one object: as a part first, which gets its name once it is whole and on the disk.
type incomingFile struct {
	taker *taker
	rc    *client.Receiving
	file  *os.File
	part  string
	hash  hash.Hash
	bytes uint64
}

const partEnding = ".part"

// maxTries bounds the numbers that are tried for a name that is taken.
const maxTries = 10_000

// create opens the part under a name that is free.
func (f *incomingFile) create() error {
	f.hash = sha256.New()
	file, part, err := createFree(f.taker.root, f.rc.Object.Name, partEnding)
	f.file, f.part = file, part
	return err
}

// Write implements client.Sink.
func (f *incomingFile) Write(p []byte) (int, error) {
	n, err := f.file.Write(p)
	f.hash.Write(p[:n])
	f.bytes += uint64(n)
	return n, err
}

// Close implements client.Sink. It returns when the file is safe, or gone.
func (f *incomingFile) Close(why error) error {
	name, err := "", why
	if err == nil {
		name, err = f.save()
	}
	if err != nil {
		_ = f.file.Close() // it may be closed
		_ = f.taker.root.Remove(f.part)
	}
	f.taker.closed(f, name, err)
	if why != nil {
		return nil
	}
	return err
}

func (f *incomingFile) sum() string { return hex.EncodeToString(f.hash.Sum(nil)) }

// save puts the part under its own name, or with a number where that is taken. The name is taken first, so that nothing is
// replaced but what was just made.
func (f *incomingFile) save() (name string, err error) {
	if err := errors.Join(f.file.Sync(), f.file.Close()); err != nil {
		return "", err
	}
	root := f.taker.root
	taken, name, err := createFree(root, f.rc.Object.Name, "")
	if err != nil {
		return "", err
	}
	if err := errors.Join(taken.Close(), root.Rename(f.part, name)); err != nil {
		_ = root.Remove(name)
		return "", err
	}
	return name, syncFolder(root)
}

// syncFolder has the names in a folder on the disk.
func syncFolder(root *os.Root) error {
	dir, err := root.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// createFree makes a file of a name that nothing has: name itself with the ending behind it, or with a number.
func createFree(root *os.Root, name, ending string) (*os.File, string, error) {
	for n := 1; n <= maxTries; n++ {
		try := numbered(name, n, ending)
		f, err := root.OpenFile(try, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, fs.ErrExist) {
			return f, try, err
		}
	}
	return nil, "", fmt.Errorf("%d files are called like %s", maxTries, name)
}

// numbered is a name with a number in front of its extension, from 2 on, cut to what a file system takes.
func numbered(name string, n int, ending string) string {
	ext := filepath.Ext(name)
	if len(ext) > 32 || ext == name {
		ext = ""
	}
	stem := strings.TrimSuffix(name, ext)
	if n > 1 {
		ext = fmt.Sprintf(" (%d)%s", n, ext)
	}
	ext += ending
	for len(stem)+len(ext) > signaling.MaxObjectName {
		_, size := utf8.DecodeLastRuneInString(stem)
		stem = stem[:len(stem)-size]
	}
	return stem + ext
}
