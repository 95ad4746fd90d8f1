package record

import (
	"time"

	"landline/relay"
)

// timed is a file whose calls are seen by the Store, which tells when they take long.
type timed struct {
	file
	r    *Recorder
	err  error // the first of a write
	size int64
}

func (t *timed) WriteAt(b []byte, at int64) (n int, err error) {
	err = t.r.ask(func() error {
		n, err = t.file.WriteAt(b, at)
		return err
	})
	t.r.store.counts.Bytes.Add(uint64(n))
	t.size = max(t.size, at+int64(n))
	if err != nil && t.err == nil {
		t.err = err
	}
	return n, err
}

// ask is around everything that waits for the disk.
func (r *Recorder) ask(f func() error) error {
	r.mu.Lock()
	r.busySince = time.Now()
	r.mu.Unlock()
	defer r.answered()
	return f()
}

func (r *Recorder) answered() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.busySince = time.Time{}
	if !r.slow {
		return
	}
	r.slow = false
	r.store.log.Info("the disk answers a recording again", "recording", r.id)
	if r.state == relay.RecordWait && r.info.Why == WhySlow {
		r.tellLocked(relay.Recorded, "")
	}
}

// lookAtDisk is called by the Store, again and again.
func (r *Recorder) lookAtDisk(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.slow || r.busySince.IsZero() || now.Sub(r.busySince) < slowAfter {
		return
	}
	r.slow = true
	r.store.counts.Slow.Add(1)
	r.store.log.Warn("the disk keeps a recording waiting", "recording", r.id, "room", r.order.Room)
	if r.state == relay.Recorded {
		r.tellLocked(relay.RecordWait, WhySlow)
	}
}
