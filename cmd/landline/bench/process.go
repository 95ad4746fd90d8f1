package bench

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// The hidden commands that the same binary is started with once more.
const (
	WorkerCommand = "bench-worker"
	FloorCommand  = "bench-floor"
)

// process is one more process of this binary, which takes orders.
type process struct {
	cmd     *exec.Cmd
	in      io.WriteCloser
	answers chan answer
	errs    tail
}

// tail keeps the last that a process said on stderr.
type tail struct {
	mu   sync.Mutex
	text []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	if len(t.text) > 4<<10 {
		t.text = bytes.Clone(t.text[len(t.text)-4<<10:])
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.text))
}

// start runs the binary with a hidden command. env is added to the environment.
func start(command string, env ...string) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p := &process{cmd: exec.Command(self, command), answers: make(chan answer, 4)}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stderr = &p.errs
	apart(p.cmd)
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", command, err)
	}
	go p.listen(out)
	return p, nil
}

// listen passes answers on until the process ends.
func (p *process) listen(out io.Reader) {
	defer close(p.answers)
	lines := bufio.NewReaderSize(out, 1<<20)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var a answer
		if err := json.Unmarshal(line, &a); err != nil {
			a = answer{Error: "an answer that cannot be read: " + err.Error()}
		}
		p.answers <- a
	}
}

// tell gives an order without waiting for its answer.
func (p *process) tell(o order) error {
	line, err := json.Marshal(o)
	if err != nil {
		return err
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		return p.died()
	}
	return nil
}

// hear waits for an answer.
func (p *process) hear(ctx context.Context) (*answer, error) {
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case a, ok := <-p.answers:
		switch {
		case !ok:
			return nil, p.died()
		case a.Error != "":
			return nil, errors.New(a.Error)
		}
		return &a, nil
	}
}

// ask gives an order and waits for its answer.
func (p *process) ask(ctx context.Context, o order) (*answer, error) {
	if err := p.tell(o); err != nil {
		return nil, err
	}
	return p.hear(ctx)
}

func (p *process) died() error {
	why := p.errs.String()
	if why == "" {
		why = "it said nothing of why"
	}
	return fmt.Errorf("a process of the bench has ended: %s", why)
}

// leaveTime is how long a process may take to have its members leave.
const leaveTime = 5 * time.Second

// end has the process leave and waits for that, but not for ever. Its error is one that the process ended with.
func (p *process) end() error {
	p.in.Close()
	late := time.AfterFunc(leaveTime, func() { _ = p.cmd.Process.Kill() })
	for range p.answers {
	}
	err := p.cmd.Wait()
	if !late.Stop() {
		return fmt.Errorf("a process of the bench did not end within %v", leaveTime)
	}
	if err != nil {
		return fmt.Errorf("a process of the bench ended with %w: %s", err, p.errs.String())
	}
	return nil
}
