package client

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"landline/signaling"
)

// supervise keeps the member in the room until Close, or until there is no way back.
func (r *Room) supervise(s *session, delivered <-chan error) {
	err := r.keep(s)
	r.mu.Lock()
	if r.leaving {
		err = nil
	}
	r.mu.Unlock()
	r.inbox.finish(false)
	if failed := <-delivered; failed != nil {
		err = failed
	}
	r.mu.Lock()
	r.cancel() // no goroutine of an object begins any more
	r.mu.Unlock()
	r.porters.Wait()
	r.err = err
	close(r.done)
	r.moved()
}

// keep runs one session after the other and returns why the last one was the last.
func (r *Room) keep(s *session) error {
	attempt := 0
	for {
		began := time.Now()
		err := s.run()
		r.closeSide()
		if time.Since(began) > steady {
			attempt = 0
		}
		bye := s.bye
		if s, err = r.comeBack(err, bye, &attempt); err != nil {
			return err
		}
		r.mu.Lock()
		r.reconnects++
		r.current = s
		if r.broken != nil {
			s.end(r.broken)
		}
		r.mu.Unlock()
	}
}

const (
	steady    = 5 * time.Second // a session that lasted so long ends the back-off
	laterWait = 5 * time.Second // for codes that say "come back later"
)

// comeBack tries to restore a lost connection, for as long as Options.GiveUp.
func (r *Room) comeBack(cause error, bye *signaling.Bye, attempt *int) (*session, error) {
	lost := time.Now()
	told := false
	for {
		again, later := mayReturn(cause)
		if !again || r.opts.GiveUp < 0 || r.ctx.Err() != nil {
			return nil, cause
		}
		wait := backOff(*attempt, later, bye)
		bye = nil
		*attempt++
		if time.Since(lost)+wait > r.opts.GiveUp {
			return nil, fmt.Errorf("gave up after %v: %w", time.Since(lost).Round(time.Second), cause)
		}
		if !told {
			told = true
			r.opts.Logger.Warn("connection lost, coming back", "reason", cause)
			r.inbox.put(arrival{msg: &signaling.MemberState{Type: "memberState", ID: r.Self(), State: signaling.Reconnecting}})
		}
		select {
		case <-time.After(wait):
		case <-r.ctx.Done():
			return nil, cause
		}
		s, err := r.connect(r.ctx)
		if err == nil {
			r.opts.Logger.Info("back in the room", "after", time.Since(lost).Round(time.Millisecond))
			return s, nil
		}
		cause = err
	}
}

// mayReturn reports whether a failure is worth another attempt.
func mayReturn(cause error) (again, later bool) {
	var closed *signaling.Closed
	var http *refused
	var fault *panicked
	switch {
	case errors.As(cause, &closed):
		return closed.Code.Retry()
	case errors.As(cause, &http):
		return retryStatus(http.status), false
	case errors.As(cause, &fault):
		return false, false
	}
	return true, false // no connection
}

// retryStatus tells an HTTP answer of a proxy whose server is away from one that will not change.
func retryStatus(status int) bool {
	return status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout
}

// backOff is how long to wait before an attempt (docs/protocol.md section 11).
func backOff(attempt int, later bool, bye *signaling.Bye) time.Duration {
	most := 2 * time.Second
	switch {
	case later:
		return laterWait + rand.N(most)
	case bye != nil && bye.RetryMs > 0:
		base := min(time.Duration(bye.RetryMs)*time.Millisecond, laterWait)
		return base + rand.N(base)
	case attempt == 0:
		return 0
	case attempt < 3:
		most = time.Duration(attempt) * 500 * time.Millisecond
	}
	return rand.N(most)
}
