package rtc

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"landline/media"
	"landline/relay"
)

// In the bubble time passes only while everybody waits: a sender that keeps itself busy would have the second never end.
func TestASenderRestsWhileItWaitsForAKeyFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &lab{t: t, relay: relay.New(relay.Options{})}
		ann, bob := l.join("ann"), l.join("bob")
		write := ann.writes(t, "camera", vp8Format)
		write(video(0))
		ctx, cancel := context.WithCancel(context.Background())
		s := newSender()
		var woken atomic.Int64
		d, err := bob.Detour(nil, relay.Carries{media.VP8}, func(bool) {
			if woken.Add(1) == 1000 {
				cancel()
			}
			s.notify(true)
		}, false)
		if err != nil {
			t.Fatal(err)
		}
		s.sub = d.Subscriber
		write(video(1)) // which is of no use without the key frame that bob has not got this way
		done := make(chan struct{})
		go func() {
			defer close(done)
			s.run(ctx)
		}()
		time.Sleep(5 * time.Second)
		if n := woken.Load(); n > 50 {
			t.Errorf("woken %d times in 5 s in which nothing came", n)
		}
		cancel()
		<-done
		d.Close()
	})
}
