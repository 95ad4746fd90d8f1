package impair

import "syscall"

// socketSegment makes segments that fit into small buffers, unlike loopback's own of 64 KiB.
const socketSegment = 1400

// size sets the buffers of a socket; 0 leaves one to the kernel. The kernel makes at least one that holds a segment of 1,100 bytes,
// and about half as much again as it is asked for.
func size(fd uintptr, in, out int) error {
	options := map[int]int{syscall.SO_RCVBUF: in, syscall.SO_SNDBUF: out}
	for option, n := range options {
		if n == 0 {
			continue
		}
		if err := syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, option, n); err != nil {
			return err
		}
	}
	if in == 0 || out == 0 {
		return nil
	}
	return syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_MAXSEG, socketSegment)
}
