package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// screen is a terminal with a line at its bottom that is written over again and again. What is written to it
// goes above that line.
type screen struct {
	mu   sync.Mutex
	w    io.Writer
	line string
}

// Write implements io.Writer.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := append(s.erase(), p...)
	if _, err := s.w.Write(append(text, s.line...)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// show replaces the line; "" takes it away.
func (s *screen) show(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text := s.erase()
	s.line = line
	_, _ = s.w.Write(append(text, line...)) // a terminal that is gone is no reason to stop
}

func (s *screen) erase() []byte {
	if s.line == "" {
		return nil
	}
	return fmt.Appendf(nil, "\r%s\r", strings.Repeat(" ", len([]rune(s.line))))
}

// progress shows on a terminal how a command gets on. On anything else it shows nothing.
type progress struct {
	quit chan struct{}
	done sync.WaitGroup
}

// startProgress shows what line returns, twice a second, until stop.
func startProgress(con *console, line func() string) *progress {
	p := &progress{quit: make(chan struct{})}
	s, ok := con.err.(*screen)
	if !ok {
		return p
	}
	p.done.Go(func() {
		tick := time.NewTicker(500 * time.Millisecond)
		defer tick.Stop()
		defer s.show("")
		for {
			select {
			case <-p.quit:
				return
			case <-tick.C:
				s.show(line())
			}
		}
	})
	return p
}

// stop takes the line away.
func (p *progress) stop() {
	close(p.quit)
	p.done.Wait()
}

// rateMeter turns a growing number of bytes into bits per second.
type rateMeter struct {
	bytes uint64
	at    time.Time
	rate  float64
}

func (m *rateMeter) update(bytes uint64) float64 {
	now := time.Now()
	if passed := now.Sub(m.at).Seconds(); !m.at.IsZero() && passed > 0 && bytes >= m.bytes {
		m.rate = float64(bytes-m.bytes) * 8 / passed
	}
	m.bytes, m.at = bytes, now
	return m.rate
}

// clockText shows a position as 1:02:03.
func clockText(d time.Duration) string {
	s := int(max(d, 0).Seconds())
	if s >= 3600 {
		return fmt.Sprintf("%d:%02d:%02d", s/3600, s/60%60, s%60)
	}
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}

// bitsText shows a rate as 1.2 Mbit/s.
func bitsText(rate float64) string {
	if rate >= 1e6 {
		return fmt.Sprintf("%.1f Mbit/s", rate/1e6)
	}
	return fmt.Sprintf("%.0f kbit/s", rate/1e3)
}
