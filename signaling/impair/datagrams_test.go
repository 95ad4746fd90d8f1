package impair

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"reflect"
	"testing"
	"time"
)

func TestLossIsThatOfTheSeed(t *testing.T) {
	fate := func(seed uint64) (lost []int) {
		f := flow{air: Air{Loss: 0.1, Delay: 30 * time.Millisecond}, chance: rand.New(rand.NewPCG(seed, 0))}
		now := time.Unix(1, 0)
		for i := range 10_000 {
			at, passes := f.take(now)
			if !passes {
				lost = append(lost, i)
			} else if at.Sub(now) != 30*time.Millisecond {
				t.Fatalf("under way for %v", at.Sub(now))
			}
		}
		if f.taken != 10_000 || int(f.lost) != len(lost) {
			t.Errorf("%d of %d counted as lost, were %d", f.lost, f.taken, len(lost))
		}
		return lost
	}
	a, b, c := fate(1), fate(1), fate(2)
	if !reflect.DeepEqual(a, b) || reflect.DeepEqual(a, c) {
		t.Error("the seed does not decide")
	}
	if len(a) < 900 || len(a) > 1100 {
		t.Errorf("%d of 10,000 lost, want a tenth", len(a))
	}
}

// What passes comes in order, after its time, and answers come back to who asked.
func TestDatagramsPassThereAndBack(t *testing.T) {
	target, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	const delay = 20 * time.Millisecond
	d, err := ListenUDP(target.LocalAddr().String(), 1, Air{Loss: 0.2, Delay: delay}, Air{Delay: delay})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	go func() { // an echo
		buf := make([]byte, 100)
		for {
			n, from, err := target.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			_, _ = target.WriteToUDPAddrPort(buf[:n], from)
		}
	}()
	client, err := net.DialUDP("udp4", nil, d.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	const n = 200
	sent := time.Now()
	for i := range n {
		if _, err := client.Write(binary.BigEndian.AppendUint32(nil, uint32(i))); err != nil {
			t.Fatal(err)
		}
	}
	last, came, buf := -1, uint64(0), make([]byte, 100)
	_ = client.SetReadDeadline(time.Now().Add(10 * time.Second))
	for last < 190 { // the last ones may be lost
		if _, err := client.Read(buf); err != nil {
			t.Fatalf("%d came, the last %d: %v", came, last, err)
		}
		if i := int(binary.BigEndian.Uint32(buf)); i <= last {
			t.Fatalf("%d after %d", i, last)
		} else {
			last = i
		}
		if came++; came == 1 && time.Since(sent) < 2*delay {
			t.Errorf("there and back in %v", time.Since(sent))
		}
	}
	up, lost, down, lostDown := d.Counts()
	if up != n || lost < n/10 || lost > 3*n/10 || down < came || lostDown != 0 {
		t.Errorf("%d up, %d lost, %d down, %d lost", up, lost, down, lostDown)
	}
}
