package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/gorilla/websocket"

	"landline/media"
	"landline/signaling"
)

// dialTime bounds one attempt to connect and join.
const dialTime = 10 * time.Second

// refused is the HTTP answer of something that does not let us in.
type refused struct {
	status int
	text   string
}

func (e *refused) Error() string { return e.text }

// connect opens a WebSocket and joins, with the resume token if there is one. The Room has adopted the session then.
func (r *Room) connect(ctx context.Context) (*session, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	s := &session{room: r, began: time.Now(), over: make(chan struct{}), acks: newAcks(time.Now()), asked: signaling.AckEvery}
	if err := s.dial(ctx); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() {
		s.link.endBy(0)
		_ = s.link.SetWriteDeadline(time.Now().Add(closeTime))
	})
	err := s.join()
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		if ctx.Err() != nil {
			// The relay may have let it in, and would keep its place for it.
			_ = s.sendText(&signaling.Bye{Type: "bye"})
			s.link.last(closeTime)
		}
		s.conn.Close()
		if ctx.Err() != nil {
			err = fmt.Errorf("joining %s: %w", r.opts.Room, ctx.Err())
		}
		return nil, err
	}
	return s, nil
}

func (s *session) dial(ctx context.Context) error {
	opts := &s.room.opts
	dialer := websocket.Dialer{
		Proxy: http.ProxyFromEnvironment, TLSClientConfig: opts.TLS, Subprotocols: []string{signaling.Subprotocol},
		ReadBufferSize: 32 << 10, WriteBufferSize: media.MaxMessageSize + 64,
		NetDialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			s.link = &link{Conn: c}
			return s.link, nil
		},
	}
	conn, resp, err := dialer.DialContext(ctx, opts.URL, nil)
	if errors.Is(err, websocket.ErrBadHandshake) {
		return &refused{resp.StatusCode, fmt.Sprintf("%s answers %s, and not as a Landline relay", opts.URL, resp.Status)}
	}
	if err != nil {
		return fmt.Errorf("no connection to the relay: %w", err)
	}
	if conn.Subprotocol() != signaling.Subprotocol {
		conn.Close()
		return &refused{http.StatusNotFound, opts.URL + " does not speak " + signaling.Subprotocol}
	}
	conn.SetReadLimit(maxMessage)
	conn.SetPingHandler(s.ping)
	conn.SetPongHandler(func(string) error { return nil })
	conn.SetCloseHandler(func(int, string) error { return nil }) // farewell answers: only the writer writes
	s.conn, s.link.held = conn, true
	return nil
}

// join says hello and joins, and hands what the relay answers to the Room.
func (s *session) join() error {
	r := s.room
	resume := r.resumeToken()
	hello := &signaling.Hello{Type: "hello", Version: signaling.Version, Agent: r.opts.Agent, Decode: signaling.Decodable{WS: r.opts.Decode}}
	if r.opts.WebRTC != nil {
		hello.Decode.WebRTC = r.opts.Decode
	}
	if err := errors.Join(s.sendText(hello), s.sendText(r.joinMessage(resume, time.Since(s.began))), s.link.flush()); err != nil {
		return closedBy(err)
	}
	var joined *signaling.Joined
	for {
		kind, data, err := s.next()
		if err != nil {
			return err
		}
		s.acks.count(len(data), false, time.Now())
		if kind != websocket.TextMessage {
			continue
		}
		msg, err := signaling.Decode(data)
		if err != nil {
			return wrong("%v", err)
		}
		switch m := msg.(type) {
		case *signaling.Error:
			switch {
			case joined != nil:
				return fmt.Errorf("the relay refuses what was to be published: %s", m.Text)
			case m.Code != signaling.ErrResumeRefused:
				continue // the close that follows says it too
			}
			r.opts.Logger.Info("the membership could not be resumed, joining anew", "reason", m.Text)
			if err := errors.Join(s.sendText(r.joinMessage("", time.Since(s.began))), s.link.flush()); err != nil {
				return closedBy(err)
			}
		case *signaling.Joined:
			if r.accepted(m) {
				return r.adopt(s, m)
			}
			joined = m // the error that follows says why tracks are missing
		}
	}
}
