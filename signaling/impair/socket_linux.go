package impair

import "syscall"

// Segments are small against the buffers, unlike loopback's own of 64 KiB: where less than one fits into what is left of a window, the
// sender's kernel waits, and probes five times a second.
const (
	leastSegment = 256
	mostSegment  = 1400
)

// size sets the buffers of a socket; 0 leaves one to the kernel.
func size(fd uintptr, in, out int) error {
	for option, n := range map[int]int{syscall.SO_RCVBUF: in, syscall.SO_SNDBUF: out} {
		if n == 0 {
			continue
		}
		if err := syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, option, n); err != nil {
			return err
		}
	}
	if in == 0 {
		return nil
	}
	return syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, min(max(in/8, leastSegment), mostSegment))
}
