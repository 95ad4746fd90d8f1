package record

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// disk is where recordings are. Its calls fail and block as disks do.
type disk interface {
	// create makes a file that is not there yet, open opens one that is.
	create(name string) (file, error)
	open(name string) (file, error)
	rename(from, to string) error
	remove(name string) error
	list() ([]fs.FileInfo, error)
	// free is how many bytes can still be written.
	free() (uint64, error)
	close() error
}

type file interface {
	io.ReaderAt
	io.WriterAt
	Truncate(size int64) error
	Sync() error
	Stat() (fs.FileInfo, error)
	Close() error
}

// folder is a disk: a folder that is not left, whatever a name says.
type folder struct {
	root *os.Root
	lock *os.File // of the folder itself
}

// openFolder opens a folder, which is made if need be, for this process alone.
func openFolder(dir string) (*folder, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	lock, err := root.Open(".")
	if err == nil {
		if err = unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); errors.Is(err, unix.EWOULDBLOCK) {
			err = fmt.Errorf("another process records into %s", dir)
		}
	}
	if err != nil {
		_ = root.Close()
		return nil, err
	}
	return &folder{root: root, lock: lock}, nil
}

func (f *folder) create(name string) (file, error) {
	return f.root.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o640)
}

func (f *folder) open(name string) (file, error) { return f.root.OpenFile(name, os.O_RDWR, 0) }

// rename gives a file its name, which is on the disk when it returns.
func (f *folder) rename(from, to string) error {
	if err := f.root.Rename(from, to); err != nil {
		return err
	}
	return f.lock.Sync()
}

func (f *folder) remove(name string) error { return f.root.Remove(name) }

func (f *folder) list() ([]fs.FileInfo, error) {
	entries, err := fs.ReadDir(f.root.FS(), ".")
	if err != nil {
		return nil, err
	}
	var infos []fs.FileInfo
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			infos = append(infos, info)
		}
	}
	return infos, nil
}

func (f *folder) free() (uint64, error) {
	var st unix.Statfs_t
	if err := unix.Fstatfs(int(f.lock.Fd()), &st); err != nil {
		return 0, err
	}
	return st.Bavail * uint64(st.Bsize), nil
}

func (f *folder) close() error { return errors.Join(f.lock.Close(), f.root.Close()) }

// whyOf is the code of a disk's error.
func whyOf(err error) string {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, errReserve) {
		return WhyFull
	}
	return WhyDisk
}

var errReserve = errors.New("less is free than is kept in reserve")

// Reasons why a recording waits or has failed.
const (
	WhyFull = "disk-full"
	WhySlow = "disk-slow"
	WhyDisk = "disk-error"
	// WhyTracks is the reason of a gap: more tracks were there at once than a file has places for.
	WhyTracks = "too-many-tracks"
	WhyPanic  = "internal"
)
