package relay

import (
	"bytes"
	"errors"
	"testing"
	"testing/synctest"

	"landline/media"
)

// borrower reads a loan, and remembers nothing but where it is.
type borrower struct {
	*porter
	n    uint32
	data []byte
	at   uint64 // offset that comes next
	came int    // bytes since the last accept
}

// lent has ben offered data by the relay, which lends it until the test is over.
func lent(t *testing.T, size int) (*borrower, *Loan) {
	t.Helper()
	p := newWorld(t, Options{}).porter("ben")
	b := &borrower{porter: p, data: pattern(size)}
	loans, err := p.m.Lend([]Object{{ID: "a.webm", Name: "a.webm", Size: uint64(size), Part: 1, Parts: 1}})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			turn, offset, most, ok := loans[0].Wait()
			if !ok {
				return
			}
			var pieces [][]byte
			for at, end := int(offset), int(offset)+most; at < end; at += media.MaxChunkPayload {
				piece := b.data[at:min(end, at+media.MaxChunkPayload)]
				memory := ObjectMemory(len(piece))
				copy(memory[media.ObjectHeaderSize:], piece)
				pieces = append(pieces, memory)
			}
			loans[0].Put(turn, offset, pieces)
		}
	}()
	t.Cleanup(func() { p.m.Leave("bye") })
	p.pull(lots)
	for n, in := range p.in {
		b.n = n
		if in.object.Parts != 1 {
			t.Fatalf("offered %+v", in.object)
		}
	}
	return b, loans[0]
}

// goTo accepts at an offset.
func (b *borrower) goTo(offset uint64) {
	b.t.Helper()
	if err := b.m.Accept(b.n, offset); err != nil {
		b.t.Fatal(err)
	}
	b.at, b.came = offset, 0
}

// take pulls all that there is, and compares it.
func (b *borrower) take() {
	b.t.Helper()
	for {
		synctest.Wait()
		out, more := b.sub.Pull(nil)
		if len(out) == 0 && !more {
			return
		}
		for _, o := range out {
			if o.Event != nil || o.Data[0] != media.KindObject {
				continue
			}
			b.sent += uint64(len(o.Data))
			c, err := media.ParseObject(o.Data)
			if err != nil {
				b.t.Fatal(err)
			}
			if c.Offset != b.at || !bytes.Equal(c.Payload, b.data[c.Offset:c.Offset+uint64(len(c.Payload))]) {
				b.t.Fatalf("at %d: %d bytes of %d", b.at, len(c.Payload), c.Offset)
			}
			b.at += uint64(len(c.Payload))
			b.came += len(c.Payload)
			if c.Last != (b.at == uint64(len(b.data))) {
				b.t.Fatalf("last is %v at %d", c.Last, b.at)
			}
		}
		if !b.sub.Acked(b.sent, 0) {
			b.t.Fatal("ack refused")
		}
	}
}

// read takes and consumes up to an offset or more.
func (b *borrower) read(to uint64) {
	b.t.Helper()
	for b.at < to {
		before := b.at
		if b.take(); b.at == before {
			b.t.Fatalf("nothing comes at %d of %d", b.at, to)
		}
		if _, err := b.m.Credit(b.n, b.at); err != nil {
			b.t.Fatal(err)
		}
	}
}

func TestALoanIsReadFromAnyPlaceOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 5_000_003
		b, _ := lent(t, size)
		b.goTo(0)
		b.read(2_000_000)
		for _, at := range []uint64{4_999_999, 17, 3 << 20, 3<<20 + 1, size, 0} {
			b.goTo(at)
			b.read(min(at+1_500_000, size))
		}
		b.read(size)
		if err := b.m.Accept(b.n, size+1); !errors.Is(err, ErrBadOffset) {
			t.Errorf("behind the end: %v", err)
		}
	})
}

// TestALoanWaitsForItsReader: who pauses gives no credit, and nothing comes or is kept beyond the window.
func TestALoanWaitsForItsReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, l := lent(t, 8<<20)
		b.take()
		if b.came != 0 {
			t.Fatal("it comes without being asked for")
		}
		b.goTo(1000)
		b.take()
		if b.came != LoanWindow {
			t.Fatalf("%d bytes came without credit", b.came)
		}
		if _, err := b.m.Credit(b.n, 1000+LoanWindow+1); !errors.Is(err, ErrBadOffset) {
			t.Errorf("credit for what did not come: %v", err)
		}
		if _, err := b.m.Credit(b.n, 1000+LoanWindow/2); err != nil {
			t.Fatal(err)
		}
		if b.take(); b.came != LoanWindow*3/2 {
			t.Errorf("%d bytes came with half a window of credit", b.came)
		}
		if err := b.m.CancelStream(b.n, "cancelled"); err != nil {
			t.Fatal(err)
		}
		if b.take(); b.came != LoanWindow*3/2 || l.st.bytes != 0 {
			t.Errorf("%d bytes came, %d wait after a cancel", b.came, l.st.bytes)
		}
		b.goTo(b.at)
		b.read(8 << 20)
	})
}

func TestALoanOutlivesTheSessionButNotTheMember(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, l := lent(t, 3<<20)
		b.goTo(0)
		b.read(1 << 20)
		b.resume()
		delete(b.in, b.n)
		if b.pull(lots); b.in[b.n] == nil {
			t.Fatal("it is not offered again")
		}
		b.goTo(b.at)
		b.read(2 << 20)
		b.m.Leave("bye")
		<-l.Done()
		if len(b.m.room.streams) != 0 {
			t.Error("a stream is left")
		}
		if _, err := b.m.Lend([]Object{{ID: "x", Size: 1}}); !errors.Is(err, ErrGone) {
			t.Errorf("to one who has left: %v", err)
		}
	})
}

func TestALenderThatFailsSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, l := lent(t, 3<<20)
		b.goTo(0)
		l.Cancel("failed")
		b.pull(lots)
		if over := b.in[b.n].over; over != "failed" {
			t.Errorf("told %q", over)
		}
		l.Cancel("failed") // a second word changes nothing
		if _, _, _, ok := l.Wait(); ok {
			t.Error("it goes on")
		}
		list := make([]Object, maxStreamsTo+1)
		if _, err := b.m.Lend(list); !errors.Is(err, ErrTooManyStreams) {
			t.Errorf("%d at once: %v", len(list), err)
		}
	})
}
