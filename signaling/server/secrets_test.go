package server

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// logged is what all servers of this test run have logged.
var logged lockedBuffer

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) lines() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var lines []string
	for line := range bytes.Lines(b.buf.Bytes()) {
		lines = append(lines, string(bytes.TrimSuffix(line, []byte("\n"))))
	}
	return lines
}

// secrets are the tokens and resume tokens that were issued.
var secrets struct {
	mu  sync.Mutex
	all []string
}

func keepSecret(s string) {
	secrets.mu.Lock()
	defer secrets.mu.Unlock()
	if s != "" {
		secrets.all = append(secrets.all, s)
	}
}

// checkLog looks for secrets in the log, and for lines that are not one JSON object.
func checkLog() error {
	lines := logged.lines()
	if len(secrets.all) > 0 && len(lines) == 0 {
		return errors.New("sessions joined and nothing was logged: the log is not being looked at")
	}
	for _, line := range lines {
		var fields map[string]any
		if err := json.Unmarshal([]byte(line), &fields); err != nil || fields["msg"] == nil {
			return fmt.Errorf("log line %q is not one JSON object with a message: %v", line, err)
		}
		if len(line) > 4096 && fields["stack"] == nil {
			return fmt.Errorf("a log line of %d bytes: %.200s…", len(line), line)
		}
		for _, secret := range secrets.all {
			if strings.Contains(line, secret) {
				return fmt.Errorf("log line %q holds the secret %q", line, secret)
			}
		}
	}
	return nil
}
