package server

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestTheRestOfABurstWaitsForNothing has a busy shard and a session whose messages come so close together that each waits for the next:
// but what did not fit into a write has waited already.
func TestTheRestOfABurstWaitsForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Server{start: time.Now(), cfg: Config{Coalesce: DefaultCoalesce}}
		sh := newShard(s)
		defer sh.close()
		sh.load.busy = true
		ss := &Session{server: s, shard: sh}
		waits := func() time.Duration {
			begun := time.Now()
			if got := sh.take(); got != ss {
				t.Fatal("another session")
			}
			return time.Since(begun)
		}
		sh.schedule(ss, false)
		waits()
		for range 3 {
			sh.written(ss, true)
			if d := waits(); d != 0 {
				t.Errorf("the rest waited for %v", d)
			}
		}
		sh.written(ss, false)
		sh.schedule(ss, false)
		if d := waits(); d != DefaultCoalesce {
			t.Errorf("the next message waited for %v, not %v", d, DefaultCoalesce)
		}
	})
}
