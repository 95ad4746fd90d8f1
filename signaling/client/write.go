package client

import (
	"errors"
	"time"

	"github.com/gorilla/websocket"

	"landline/media"
	"landline/signaling"
)

// closeTime is how long a good-bye may take.
const closeTime = time.Second

// write sends what there is until the session is over.
func (s *session) write() error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		wait, err := s.turn()
		if err != nil {
			return closedBy(err)
		}
		timer.Reset(wait)
		select {
		case <-s.room.kick:
		case <-timer.C:
		case <-tick.C:
			s.uplink.Tick()
		case <-s.over:
			return nil
		}
	}
}

// turn sends all that may be sent now, and returns when to look again at the latest.
func (s *session) turn() (wait time.Duration, err error) {
	for more := true; more; {
		if err := s.sendControl(); err != nil {
			return 0, err
		}
		if wait, err = s.sendAck(); err != nil {
			return 0, err
		}
		if more, err = s.sendQueued(); err != nil {
			return 0, err
		}
		if err := s.link.flush(); err != nil {
			return 0, err
		}
	}
	s.room.moved()
	if s.putWait > 0 {
		wait = min(wait, s.putWait)
	}
	return wait, nil
}

// sendQueued sends some of what waits for room on the link.
func (s *session) sendQueued() (more bool, err error) {
	if s.byeSent {
		return false, nil
	}
	puts, err := s.sendPut()
	if err != nil {
		return false, err
	}
	more, err = s.sendMedia()
	return more || puts, err
}

func (s *session) sendControl() error {
	s.mu.Lock()
	pongs := s.pongs
	s.pongs = nil
	s.mu.Unlock()
	for _, p := range pongs {
		if err := s.conn.WriteControl(websocket.PongMessage, []byte(p), time.Now().Add(closeTime)); err != nil {
			return err
		}
	}
	if s.byeSent {
		return nil
	}
	messages, bye := s.room.outgoingControl()
	if every := s.uplink.AckEvery(); every != s.asked {
		s.asked = every
		messages = append(messages, &signaling.AckInterval{Type: "ackInterval", Ms: every.Milliseconds()})
	}
	for _, m := range messages {
		if err := s.sendText(m); err != nil {
			return err
		}
		if chat, ok := m.(*signaling.Chat); ok {
			s.room.chatSent(chat, s.sent)
		}
	}
	if bye {
		s.byeSent = true
		s.link.endBy(closeTime)
		return s.sendText(&signaling.Bye{Type: "bye"})
	}
	return nil
}

func (s *session) sendText(msg any) error {
	text := signaling.Encode(msg)
	s.counts(len(text))
	return s.conn.WriteMessage(websocket.TextMessage, text)
}

// counts adds what is about to be sent besides the uplink's media.
func (s *session) counts(n int) {
	s.sent += uint64(n)
	if s.uplink != nil {
		s.uplink.AddSent(n)
	}
}

func (s *session) sendAck() (wait time.Duration, err error) {
	ack, send, wait := s.acks.due(time.Now())
	if send {
		s.sent += media.AckSize
		if s.uplink != nil {
			s.uplink.AddSentAck(media.AckSize)
		}
		err = s.conn.WriteMessage(websocket.BinaryMessage, ack.Append(nil))
	}
	if wait == 0 {
		wait = time.Hour
	}
	return wait, err
}

// sendMedia sends one batch of the uplink.
func (s *session) sendMedia() (more bool, err error) {
	s.out, more = s.uplink.Pull(s.out[:0])
	for _, o := range s.out {
		if o.Event != nil {
			continue // a report of drops is for a relay's receivers
		}
		s.sent += uint64(len(o.Data))
		if o.Data[0] == media.KindEnd {
			s.room.endSent(o.Data, s.sent)
		}
		if err := s.conn.WriteMessage(websocket.BinaryMessage, o.Data); err != nil {
			return false, err
		}
	}
	clear(s.out)
	return more, nil
}

// farewell answers the relay's close, or says why this side ends.
func (s *session) farewell() {
	code, text := websocket.CloseNormalClosure, ""
	var closed *signaling.Closed
	switch {
	case errors.As(s.err, &closed) && closed.Code == websocket.CloseAbnormalClosure:
		return
	case errors.As(s.err, &closed):
		code, text = int(closed.Code), closed.Text
	case s.err != nil:
		code, text = websocket.CloseInternalServerErr, "internal"
	}
	if len(text) > 120 { // a close frame has room for 123 bytes
		text = text[:120]
	}
	_ = s.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, text), time.Now().Add(closeTime))
	s.link.last(closeTime)
}
