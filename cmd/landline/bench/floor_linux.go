package bench

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"landline/signaling"
)

// floor sends what a relay sends, with nothing of what makes a relay: one thread, one write for each frame and
// connection, and no reading. What that thread uses of the processor is the floor.
type floor struct {
	listener int
	conns    [][]int // by room
	outlets  []*outlet
	plan     plan
	frame    []byte
	agenda   agenda
	slice    *slice

	fan       *fan // over WebRTC
	viewers   []*os.File
	bare, rss float64 // bytes that were resident before there were viewers, and with them
}

// Floor takes orders from stdin until its end. Its caller starts it with one processor (GOMAXPROCS=1) and without
// garbage collection (GOGC=off), so that nothing of Go runs beside the thread; for viewers over WebRTC with what Go does of itself.
func Floor() error {
	runtime.LockOSThread()
	raiseLimit()
	f := &floor{}
	at, err := f.listen()
	if err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(answer{Listen: at}); err != nil {
		return err
	}
	in := bufio.NewReader(os.Stdin)
	for {
		line, err := in.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		var o order
		a := answer{}
		if err := json.Unmarshal(line, &o); err != nil {
			a.Error = err.Error()
		} else {
			a = f.do(&o)
		}
		if err := out.Encode(a); err != nil {
			return err
		}
	}
}

func (f *floor) do(o *order) (a answer) {
	var err error
	switch {
	case o.Serve != nil:
		err = f.serve(o.Serve)
		a.RSS = f.rss - f.bare
	case o.Send != nil:
		a.Sent, err = f.send(o.Send)
	}
	if err != nil {
		a.Error = err.Error()
	}
	return a
}

func (f *floor) listen() (string, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return "", os.NewSyscallError("socket", err)
	}
	f.listener = fd
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		return "", os.NewSyscallError("bind", err)
	}
	if err := unix.Listen(fd, 1024); err != nil {
		return "", os.NewSyscallError("listen", err)
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		return "", os.NewSyscallError("getsockname", err)
	}
	return fmt.Sprintf("127.0.0.1:%d", sa.(*unix.SockaddrInet4).Port), nil
}

// serve accepts all connections. Each begins with the number of its room.
func (f *floor) serve(o *serveOrder) error {
	f.plan = o.Plan
	f.outlets = f.plan.outlets()
	for i, a := range o.Aliases {
		f.outlets[i].alias = a.Alias
	}
	if f.bare = resident(); o.WebRTC {
		return f.serveFan(o)
	}
	f.conns = make([][]int, f.plan.Rooms)
	for range o.Conns {
		fd, _, err := unix.Accept4(f.listener, unix.SOCK_CLOEXEC)
		if err != nil {
			return os.NewSyscallError("accept", err)
		}
		var head [2]byte
		for n := 0; n < len(head); {
			got, err := unix.Read(fd, head[n:])
			if err != nil || got == 0 {
				return fmt.Errorf("a receiver went away: %w", err)
			}
			n += got
		}
		room := int(head[0])<<8 | int(head[1])
		if room >= len(f.conns) {
			return fmt.Errorf("a receiver of room %d, of %d", room, len(f.conns))
		}
		_ = unix.SetNonblock(fd, true)
		_ = unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		f.conns[room] = append(f.conns[room], fd)
	}
	return nil
}

// send writes a slice and tells what it cost.
func (f *floor) send(o *sendOrder) (*sentCount, error) {
	f.slice = &slice{from: o.From, until: o.From + o.Length, count: newSentCount(f.plan.Rooms)}
	f.agenda = nil
	for i, out := range f.outlets {
		out.begin()
		f.planFrame(i)
	}
	whose, sleep := unix.RUSAGE_THREAD, sleepUntil
	if f.fan != nil {
		whose, sleep = unix.RUSAGE_SELF, func(at int64) { time.Sleep(time.Duration(at - now())) }
	}
	before := cpuSeconds(whose)
	for at, ok := f.agenda.next(); ok; at, ok = f.agenda.next() {
		sleep(at)
		f.agenda.pop().do(at)
	}
	sleep(f.slice.until)
	f.slice.count.CPU = (cpuSeconds(whose) - before) * 1e6
	return &f.slice.count, nil
}

// planFrame puts a track's next frame into the agenda.
func (f *floor) planFrame(i int) {
	due := f.slice.from + f.outlets[i].due()
	if due >= f.slice.until {
		return
	}
	f.agenda.add(due, func(int64) {
		f.sendFrame(i, due)
		f.planFrame(i)
	})
}

// sendFrame writes one frame to all connections of its room: the same bytes as a relay sends, in one write each.
func (f *floor) sendFrame(i int, due int64) {
	out, at := f.outlets[i], now()
	if f.fan != nil {
		f.fanFrame(i, at)
		f.slice.count.Late.add(at - due)
		f.slice.count.of(out)[out.room]++
		return
	}
	f.frame = f.frame[:0]
	out.next(at, func(msg []byte) {
		f.frame = append(signaling.AppendFrameHeader(f.frame, signaling.OpBinary, len(msg)), msg...)
	})
	count := &f.slice.count
	count.Late.add(at - due)
	count.of(out)[out.room]++
	for _, fd := range f.conns[out.room] {
		if n, errno := write(fd, f.frame); n != len(f.frame) || errno != 0 {
			count.Unwritten++
			f.finish(fd, n, errno)
		}
	}
}

// finish waits for a socket that did not take all. It happens where receivers are too slow for what is sent.
func (f *floor) finish(fd, n int, errno unix.Errno) {
	rest := f.frame
	if errno == 0 {
		rest = rest[n:]
	}
	for len(rest) > 0 {
		_, _ = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}, 1000)
		n, errno := write(fd, rest)
		if errno == 0 {
			rest = rest[n:]
		} else if errno != unix.EAGAIN && errno != unix.EINTR {
			return
		}
	}
}

// sleepUntil sleeps until a moment of the shared clock.
func sleepUntil(at int64) {
	t := unix.NsecToTimespec(at)
	for now() < at {
		_ = unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &t, nil) // a signal ends it early: once more
	}
}
