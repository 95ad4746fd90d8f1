package bench

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// monotonic reads CLOCK_MONOTONIC in ns.
func monotonic() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &t) // cannot fail for this clock
	return t.Nano()
}

// loop waits for sockets and for a moment, in one thread.
type loop struct {
	ep, timer int
	events    [512]unix.EpollEvent
	watched   []func(events uint32) // by descriptor
	armed     int64
}

func newLoop() (*loop, error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	timer, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		unix.Close(ep)
		return nil, os.NewSyscallError("timerfd_create", err)
	}
	l := &loop{ep: ep, timer: timer}
	if err := l.watch(timer, unix.EPOLLIN, func(uint32) {}); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (l *loop) close() {
	unix.Close(l.timer)
	unix.Close(l.ep)
}

// watch calls do whenever a descriptor is ready.
func (l *loop) watch(fd int, events uint32, do func(events uint32)) error {
	for len(l.watched) <= fd {
		l.watched = append(l.watched, nil)
	}
	l.watched[fd] = do
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(l.ep, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)}))
}

// change changes for what a descriptor is watched.
func (l *loop) change(fd int, events uint32) {
	_ = unix.EpollCtl(l.ep, unix.EPOLL_CTL_MOD, fd, &unix.EpollEvent{Events: events, Fd: int32(fd)})
}

// drop ends the watching; the descriptor is about to be closed.
func (l *loop) drop(fd int) {
	l.watched[fd] = nil
	_ = unix.EpollCtl(l.ep, unix.EPOLL_CTL_DEL, fd, nil)
}

// arm makes the next poll end at a moment at the latest; 0 stands for none.
//
// The moment is kept by a timerfd and not by epoll's timeout, to which the kernel adds 50 µs of slack.
func (l *loop) arm(at int64) {
	if at == l.armed {
		return
	}
	l.armed = at
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(at)}
	_ = unix.TimerfdSettime(l.timer, unix.TFD_TIMER_ABSTIME, &spec, nil) // its arguments are always good
}

// poll waits until a descriptor is ready, and returns how many are: dispatch deals with them.
func (l *loop) poll() (int, error) {
	n, err := unix.EpollWait(l.ep, l.events[:], -1)
	if errors.Is(err, unix.EINTR) {
		return 0, nil
	}
	return n, os.NewSyscallError("epoll_wait", err)
}

func (l *loop) dispatch(n int) {
	for _, e := range l.events[:n] {
		if do := l.watched[e.Fd]; do != nil {
			do(e.Events)
		}
	}
}

// read and write are bare system calls on sockets that do not block: Go's own would tell its scheduler of each.
func read(fd int, b []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	return int(n), errno
}

func write(fd int, b []byte) (int, unix.Errno) {
	n, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)))
	return int(n), errno
}
