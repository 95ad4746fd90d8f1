//go:build linux

package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"landline/media"
	"landline/signaling"
)

// stage is how far a member has come.
type stage uint8

const (
	away stage = iota
	connecting
	upgrading
	joining
	inRoom
	leaving
)

// member is one connection: its state, and what is counted of it.
type member struct {
	spec  memberSpec
	w     *worker
	tally *tally
	line  line    // the socket
	view  *viewer // its PeerConnection, where media comes by one
	stage stage
	epoch int // counts its connections, so that what was planned for an earlier one is not done

	began  int64 // when it set out to join
	any    bool  // a frame has come
	tracks []received
	own    []*outlet // of a publisher
	resume string    // of a frozen member: it comes back as the same

	frag   []byte // of a fragmented message
	fragOp byte

	// Acknowledgement, as docs/protocol.md section 8 has it.
	start    int64  // of its clock
	got, ack uint64 // payload bytes that came, and those of the last ack
	cameAt   int64
	fresh    bool // something else than acks came since
	planned  bool
	interval int64
	phase    int64

	drops map[string]map[string]uint64 // by track, as last told
}

// line is a socket as a member sees it.
type line interface {
	// send sends all, now or when the socket takes it.
	send(b []byte)
	// pause stops reading for good.
	pause()
	close()
}

// joinTime bounds a join, connecting included.
const joinTime = 15 * time.Second

// opened is called when the connection stands.
func (m *member) opened() {
	if m.spec.Role == onFloor && m.w.webRTC {
		m.stage = joining
		m.look()
		return
	}
	if m.spec.Role == onFloor {
		m.line.send([]byte{byte(m.spec.Room >> 8), byte(m.spec.Room)})
		m.entered(now())
		return
	}
	m.stage = upgrading
	a := &m.w.relay
	m.line.send(fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: %s\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: %s\r\n\r\n", a.Path, a.Host, upgradeKey, signaling.Subprotocol))
}

// take deals with bytes that came, and returns those that are the beginning of something.
func (m *member) take(b []byte, at int64) []byte {
	if m.stage == upgrading {
		end := bytes.Index(b, []byte("\r\n\r\n"))
		if end < 0 {
			if len(b) > 8<<10 {
				m.lost("something else than a Landline relay answers")
			}
			return b
		}
		if !m.upgraded(b[:end]) {
			return nil
		}
		b = b[end+4:]
	}
	for m.stage >= joining {
		head, payload, rest, ok, err := cutFrame(b)
		if err != nil {
			m.lost(err.Error())
			return nil
		}
		if !ok {
			return b
		}
		m.message(head, payload, at)
		b = rest
	}
	return nil
}

// upgraded reads the answer to the upgrade and joins.
func (m *member) upgraded(head []byte) bool {
	status, _, _ := bytes.Cut(head, []byte("\r\n"))
	if !bytes.HasPrefix(status, []byte("HTTP/1.1 101 ")) || !bytes.Contains(head, []byte(acceptOf(upgradeKey))) {
		m.lost(fmt.Sprintf("the relay answers %q, and not as a Landline relay", strings.TrimPrefix(string(status), "HTTP/1.1 ")))
		return false
	}
	m.stage = joining
	m.start = m.began
	join := &signaling.Join{Type: "join", Room: m.spec.Place, Name: m.spec.Name, Token: m.spec.Token, Resume: m.resume}
	m.resume = ""
	if m.spec.Role == publisher {
		join.Publish = m.offers()
	} else {
		join.Subscribe = []signaling.Subscribe{{}}
	}
	hello := &signaling.Hello{Type: "hello", Version: signaling.Version, Agent: "landline-bench",
		Decode: signaling.Decodable{WS: []media.Codec{media.VP8, media.Opus}, WebRTC: []media.Codec{media.VP8, media.Opus}}}
	out := appendMasked(nil, opText, signaling.Encode(hello))
	m.line.send(appendMasked(out, opText, signaling.Encode(join)))
	return true
}

// offers are the tracks of a publisher.
func (m *member) offers() (list []signaling.Track) {
	clock := signaling.Clock{Us: now() / 1000, WallUs: time.Now().UnixMicro()}
	for _, o := range m.own {
		t := signaling.Track{ID: "camera", Kind: media.Video, Source: signaling.SourceCamera, Codec: media.VP8, CodecString: "vp8",
			Width: 640, Height: 360, Clock: clock, KeyOnRequest: len(o.plan.Clip) == 0}
		if o.audio {
			t = signaling.Track{ID: "mic", Kind: media.Audio, Source: signaling.SourceMic, Codec: media.Opus, CodecString: "opus",
				SampleRate: 48000, Channels: 1, Clock: clock, KeyOnRequest: true}
		}
		list = append(list, t)
	}
	return list
}

// message takes one WebSocket frame.
func (m *member) message(head byte, payload []byte, at int64) {
	switch head & 0xF {
	case opPing:
		m.line.send(appendMasked(nil, opPong, payload))
		return
	case opPong:
		return
	case opClose:
		m.closed(payload)
		return
	}
	op := head & 0xF
	if head&finBit == 0 || op == opContinuation {
		if op != opContinuation {
			m.fragOp, m.frag = op, nil
		}
		if m.frag = append(m.frag, payload...); head&finBit == 0 {
			return
		}
		op, payload = m.fragOp, m.frag
		m.frag = nil
	}
	isAck := op == opBinary && len(payload) > 0 && payload[0] == media.KindAck
	m.count(len(payload), isAck, at)
	if op == opText {
		m.text(payload, at)
	} else {
		m.binary(payload, at)
	}
}

// joined is the end of a join, or the beginning of what the role is about.
func (m *member) joined(msg []byte, at int64) {
	if m.stage != joining {
		return
	}
	var j signaling.Joined
	if m.spec.Role == publisher || m.spec.Role == frozen {
		if err := json.Unmarshal(msg, &j); err != nil || len(j.Self.Tracks) != len(m.own) {
			m.lost("the relay did not take the tracks")
			return
		}
		for i, t := range j.Self.Tracks {
			m.own[i].alias = t.Layers[0].Alias
		}
	}
	if m.spec.Role == frozen {
		m.resume = j.Resume
	}
	if m.w.webRTC && m.spec.Role != publisher {
		m.look()
		return
	}
	m.entered(at)
}

// entered is called when media can come.
func (m *member) entered(at int64) {
	m.stage = inRoom
	if m.spec.Role == onFloor {
		m.w.settled(m, nil)
		return
	}
	m.planAck(at)
	m.tally.Joins++
	m.tally.Join.add(at - m.began)
	m.w.settled(m, nil)
	switch m.spec.Role {
	case frozen:
		m.line.pause()
		m.after(frozenFor, m.leave)
	case churn:
		m.after(time.Second/2+rand.N(time.Second), m.leave)
	}
}

// frozenFor is a little more than the 10 s after which a relay gives a member up: then the next one freezes.
const frozenFor = 12 * time.Second

// after plans something for this connection of the member.
func (m *member) after(d time.Duration, do func()) {
	epoch := m.epoch
	m.w.agenda.add(now()+int64(d), func(int64) {
		if m.epoch == epoch {
			do()
		}
	})
}

// leave says good-bye; who comes and goes joins again once the relay has closed. The relay may have let in who is still joining.
func (m *member) leave() {
	if m.stage != inRoom && m.stage != joining {
		return
	}
	m.stage = leaving
	if m.spec.Role != onFloor && (m.spec.Role != frozen || m.w.parting) {
		m.line.send(appendMasked(nil, opText, signaling.Encode(&signaling.Bye{Type: "bye"})))
	}
	if m.spec.Role == frozen || m.spec.Role == onFloor {
		m.ended()
		return
	}
	m.after(time.Second, m.ended)
}

// closed is the relay's close frame.
func (m *member) closed(payload []byte) {
	if m.stage == leaving {
		m.ended()
		return
	}
	why := "closed without a reason"
	if len(payload) > 2 {
		why = string(payload[2:])
	}
	m.lost(why)
}

// lost is the end of a connection that nobody asked for.
func (m *member) lost(why string) {
	if m.stage == leaving || m.stage == away {
		m.ended()
		return
	}
	before := m.stage
	m.ended()
	if before != inRoom {
		m.w.settled(m, fmt.Errorf("%s", why))
		return
	}
	name, _, _ := strings.Cut(why, ":")
	m.tally.Closes[name]++
}

// ended closes the socket. Members of roles that come back do so.
func (m *member) ended() {
	if m.stage == away {
		return
	}
	m.stage = away
	m.epoch++
	m.line.close()
	m.lookAway()
	if m.w.parting {
		m.w.gone()
		return
	}
	if m.spec.Role == churn || m.spec.Role == frozen {
		m.after(10*time.Millisecond, func() { m.w.connect(m) })
	}
}
