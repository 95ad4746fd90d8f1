package bench

import (
	"fmt"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// apart keeps Ctrl-C on a terminal from the process: it shall have its members leave first.
func apart(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// checkPlatform tells whether so many descriptors can be had in one process.
func checkPlatform(descriptors int) error {
	raiseLimit()
	var l unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &l); err != nil {
		return err
	}
	if uint64(descriptors) > l.Max {
		return fmt.Errorf("%d connections need more open files than the system's hard limit of %d: raise it (ulimit -Hn), or spread them with --processes",
			descriptors, l.Max)
	}
	return nil
}
