package server

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"landline/media"
	"landline/signaling"
)

// hostile is one way to break the protocol. say writes what breaks it; cam and micro are the aliases of one's own
// tracks, 0 before the join.
type hostile struct {
	name   string
	joined bool
	say    func(r *rawSocket, cam, micro uint16)
	code   signaling.CloseCode
}

func bytesOf(parts ...[]byte) func(*rawSocket, uint16, uint16) {
	return func(r *rawSocket, _, _ uint16) { r.send(bytes.Join(parts, nil)) }
}

func text(s string) []byte { return masked(signaling.OpText, []byte(s)) }

const hello = `{"type":"hello","version":1,"decode":{"ws":["opus"]}}`

func rawMessages(op byte, messages ...[]byte) (b []byte) {
	for _, m := range messages {
		b = append(b, masked(op, m)...)
	}
	return b
}

// framing is everything against RFC 6455.
var framing = []hostile{
	{"length 2^63", false, bytesOf(claimed(signaling.OpBinary, 1<<63)), signaling.CloseTooBig},
	{"length 2^63+1", false, bytesOf(claimed(signaling.OpBinary, 1<<63+1)), signaling.CloseTooBig},
	{"length 2^64-1", false, bytesOf(claimed(signaling.OpText, math.MaxUint64)), signaling.CloseTooBig},
	{"length 2^31", false, bytesOf(claimed(signaling.OpBinary, 1<<31)), signaling.CloseTooBig},
	{"length 2^63-1 in a continuation", false, bytesOf(masked(0x02, []byte{1}), claimed(0x80, 1<<63-1)), signaling.CloseTooBig},
	{"64 KiB + 1 of control", true, bytesOf(masked(signaling.OpText, bytes.Repeat([]byte(" "), 65537))), signaling.CloseTooBig},
	{"64 KiB + 1 in fragments", true, bytesOf(fragments(signaling.OpText, bytes.Repeat([]byte(" "), 65537), 16000, nil)), signaling.CloseTooBig},
	{"unmasked", false, bytesOf([]byte{signaling.OpText, 2, '{', '}'}), signaling.CloseProtocol},
	{"RSV1", false, bytesOf(masked(0xC1, []byte("{}"))), signaling.CloseProtocol},
	{"RSV2", false, bytesOf(masked(0xA1, []byte("{}"))), signaling.CloseProtocol},
	{"RSV3", false, bytesOf(masked(0x91, []byte("{}"))), signaling.CloseProtocol},
	{"reserved opcode", false, bytesOf(masked(0x83, []byte("{}"))), signaling.CloseProtocol},
	{"ping of 126 bytes", false, bytesOf(masked(signaling.OpPing, make([]byte, 126))), signaling.CloseProtocol},
	{"ping that claims 2^63", false, bytesOf(claimed(signaling.OpPing, 1<<63)), signaling.CloseProtocol},
	{"fragmented ping", false, bytesOf(masked(signaling.OpPing&^0x80, nil)), signaling.CloseProtocol},
	{"continuation of nothing", false, bytesOf(masked(0x80, []byte("x"))), signaling.CloseProtocol},
	{"message within a message", false, bytesOf(masked(0x01, []byte("{")), text("{}")), signaling.CloseProtocol},
	{"close code 1006", true, bytesOf(masked(signaling.OpClose, []byte{0x03, 0xEE})), signaling.CloseProtocol},
	{"a million empty continuations", true, emptyContinuations, signaling.CloseFlood},
	{"ping flood", true, bytesOf(rawMessages(signaling.OpPing, make([][]byte, 1000)...)), signaling.CloseFlood},
	{"pong flood", true, bytesOf(rawMessages(signaling.OpPong, make([][]byte, 1000)...)), signaling.CloseFlood},
}

// emptyContinuations goes on until the server has enough.
func emptyContinuations(r *rawSocket, _, _ uint16) {
	r.send(masked(0x01, []byte("{")))
	many := bytes.Repeat(masked(0, nil), 1000)
	for range 1000 {
		if _, err := r.Write(many); err != nil {
			return
		}
	}
}

// words is everything against docs/protocol.md section 4.
var words = []hostile{
	{"not UTF-8", false, bytesOf(masked(signaling.OpText, []byte("{\"type\":\"\xff\"}"))), signaling.CloseBadMessage},
	{"not JSON", false, bytesOf(text("hello")), signaling.CloseBadMessage},
	{"no object", false, bytesOf(text(`[1]`)), signaling.CloseBadMessage},
	{"no type", false, bytesOf(text(`{}`)), signaling.CloseBadMessage},
	{"empty", false, bytesOf(text(``)), signaling.CloseBadMessage},
	{"nested", true, bytesOf(text(`{"type":"chat","text":` + strings.Repeat("[", 30000) + strings.Repeat("]", 30000) + `}`)), signaling.CloseBadMessage},
	{"nested where nobody looks", true, bytesOf(text(`{"type":"chat","x":` + strings.Repeat(`{"x":`, 12000))), signaling.CloseBadMessage},
	{"a number of 60,000 digits", true, bytesOf(text(`{"type":"mute","req":` + strings.Repeat("9", 60000) + `}`)), signaling.CloseBadMessage},
	{"wrong type of field", false, bytesOf(text(`{"type":"hello","version":"1"}`)), signaling.CloseBadMessage},
	{"two hellos", false, bytesOf(text(hello), text(hello)), signaling.CloseBadMessage},
	{"join before hello", false, bytesOf(text(`{"type":"join","room":"r"}`)), signaling.CloseBadMessage},
	{"room name", false, bytesOf(text(hello), text(`{"type":"join","room":"../r"}`)), signaling.CloseBadMessage},
	{"join twice", true, bytesOf(text(`{"type":"join","room":"r"}`)), signaling.CloseBadMessage},
	{"chat before join", false, bytesOf(text(hello), text(`{"type":"chat","text":"x"}`)), signaling.CloseBadMessage},
	{"hello of version 2", false, bytesOf(text(`{"type":"hello","version":2}`)), signaling.CloseUnsupportedVersion},
	{"over 4 KiB before join", false, bytesOf(text(hello), text(`{"type":"hallo","pad":"`+strings.Repeat("x", 4096)+`"}`)), signaling.CloseJoinTimeout},
	{"acks without end before join", false, bytesOf(rawMessages(signaling.OpBinary, repeat(media.Ack{}.Append(nil), 300)...)), signaling.CloseJoinTimeout},
	{"a server's message", true, bytesOf(text(`{"type":"joined","room":"r"}`)), signaling.CloseBadMessage},
	{"binary before join", false, bytesOf(text(hello), masked(signaling.OpBinary, chunkOf(media.ChunkHeader{Key: true, Last: true, Alias: 1}, 1))), signaling.CloseBadMessage},
}

func repeat(m []byte, n int) [][]byte {
	all := make([][]byte, n)
	for i := range all {
		all[i] = m
	}
	return all
}

func TestHostileFraming(t *testing.T) { attack(t, framing) }
func TestHostileWords(t *testing.T)   { attack(t, words) }
func TestHostileMedia(t *testing.T)   { attack(t, chunks) }

// attack tries all of them on one server, which has other things to do meanwhile.
func attack(t *testing.T, all []hostile) {
	patient := protocolTimes
	patient.join = time.Hour // so that only what was said is at fault
	s, url := startWith(t, Config{}, patient, plain)
	bob, _ := enter(t, url, "calm", "")
	before := runtime.NumGoroutine()
	for i, h := range all {
		t.Run(h.name, func(t *testing.T) {
			room := fmt.Sprintf("room-%d", i)
			var r *rawSocket
			var cam, micro uint16
			if h.joined {
				r, cam, micro = rawIn(t, url, room)
			} else {
				r = rawUp(t, url)
			}
			go h.say(r, cam, micro)
			code, reason, fatal := r.awaitClose()
			if code != int(h.code) || !strings.HasPrefix(reason, h.code.Name()+": ") {
				t.Fatalf("closed with %d %q, want %d %s", code, reason, h.code, h.code.Name())
			}
			if h.code >= 4000 && fatal != h.code.Name() {
				t.Errorf("the error before the close is %q", fatal)
			}
			_ = r.Close()
			within(t, patience, "the member is off the room", func() bool { return len(s.relay.Snapshot()) == 1 })
		})
		bob.text(`{"type":"chat","text":"well?"}`)
		await[signaling.Chat](bob)
	}
	within(t, patience, "goroutines are back", func() bool { return runtime.NumGoroutine() <= before })
}

// TestClaimedLengthsCostNothing has many sessions claim messages that never come.
func TestClaimedLengthsCostNothing(t *testing.T) {
	s, url := start(t, Config{})
	const sessions = 50
	for _, n := range []uint64{1 << 16, 1 << 31, 1 << 62, 1 << 63} {
		var sockets []*rawSocket
		for range sessions {
			sockets = append(sockets, rawUp(t, url))
		}
		within(t, patience, "all are open", func() bool { return len(s.list()) == sessions })
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for _, r := range sockets {
			r.send(append(masked(signaling.OpPing, nil), append(claimed(signaling.OpBinary, n), 0)...))
			if op, _, err := r.frame(); op != signaling.OpPong {
				t.Fatalf("a ping was answered with %x, %v", op, err)
			}
			if n > signaling.MaxControl {
				if code, _, _ := r.awaitClose(); code != int(signaling.CloseTooBig) {
					t.Fatalf("closed with %d", code)
				}
			}
		}
		runtime.ReadMemStats(&after)
		if each := (after.TotalAlloc - before.TotalAlloc) / sessions; each > 64<<10 {
			t.Errorf("a claim of %d bytes made the server allocate %d", n, each)
		}
		for _, r := range sockets {
			_ = r.Close()
		}
		within(t, patience, "all are gone", func() bool { return len(s.list()) == 0 })
	}
}

// TestLongerLengthFormIsRead pins that a length in a longer form than it needs, which RFC 6455 section 5.2 forbids
// to senders, does no harm.
func TestLongerLengthFormIsRead(t *testing.T) {
	_, url := start(t, Config{})
	r := rawUp(t, url)
	for _, form := range [][]byte{{126, 0, byte(len(hello))}, binary.BigEndian.AppendUint64([]byte{127}, uint64(len(`{"type":"bye"}`)))} {
		form[0] |= 0x80
		words := hello
		if form[0] == 0xFF {
			words = `{"type":"bye"}`
		}
		r.send(append(append([]byte{signaling.OpText}, form...), masked(signaling.OpText, []byte(words))[2:]...))
	}
	if code, _, _ := r.awaitClose(); code != int(signaling.CloseNormal) {
		t.Fatalf("closed with %d", code)
	}
}
