package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// child starts this test binary as another process that ends with the test at the latest.
func child(t *testing.T, what string, out, errs *output, args ...string) *exec.Cmd {
	t.Helper()
	form, _ := formTime(0)
	ctx, cancel := context.WithTimeout(context.Background(), form+30*time.Second)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), childEnv+"="+what)
	cmd.Stdout, cmd.Stderr = out, errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

func TestSIGTERMEndsTheServerWithSuccess(t *testing.T) {
	for _, signal := range []os.Signal{syscall.SIGTERM, syscall.SIGINT} {
		var out, errs output
		cmd := child(t, "landline", &out, &errs, "serve", "--listen", "127.0.0.1:0")
		errs.line(t, `"msg":"serving"`)
		cmd.Process.Signal(signal)
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v: %v: %s", signal, err, errs.String())
		}
		if !strings.Contains(errs.String(), `"msg":"stopped"`) {
			t.Errorf("%v: it did not come to its end: %s", signal, errs.String())
		}
	}
}

func TestASecondSignalEndsAtOnce(t *testing.T) {
	var out, errs output
	cmd := child(t, "slow", &out, &errs)
	out.line(t, "ready")
	cmd.Process.Signal(syscall.SIGTERM)
	out.line(t, "draining")
	cmd.Process.Signal(syscall.SIGTERM)
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGTERM {
		t.Errorf("after the second signal: %v", err)
	}
}

func TestTheProcessSaysWhyItFailed(t *testing.T) {
	for code, args := range map[int][]string{1: {"serve", "--listen", ":0"}, 2: {"serve", "--nonsense"}} {
		cmd := exec.Command(os.Args[0], args...)
		cmd.Env = append(os.Environ(), childEnv+"=landline")
		var errs bytes.Buffer
		cmd.Stderr = &errs
		err := cmd.Run()
		if cmd.ProcessState.ExitCode() != code || !strings.HasPrefix(errs.String(), "landline: ") {
			t.Errorf("%v: %v, %q; want exit code %d", args, err, errs.String(), code)
		}
	}
}
