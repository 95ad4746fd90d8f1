package client

import (
	"crypto/rand"
	"slices"

	"landline/signaling"
)

// sentChat is chat that may have to be sent again.
type sentChat struct {
	chat *signaling.Chat
	end  uint64 // what the session had sent after it; 0: not sent yet
}

// sourceName is the name under which this sender's messages are numbered. r.mu is held.
func (r *Room) sourceName() string {
	if r.source == "" {
		r.source = rand.Text()
	}
	return r.source
}

// numberChat keeps chat until the relay has it. r.mu is held.
func (r *Room) numberChat(m *signaling.Chat) {
	r.chatN++
	m.Source, m.N = r.sourceName(), r.chatN
	r.chats = append(r.chats, sentChat{chat: m})
}

// chatSent notes what the session had sent after a message.
func (r *Room) chatSent(m *signaling.Chat, end uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.chats {
		if r.chats[i].chat == m {
			r.chats[i].end = end
		}
	}
}

// chatsAcked forgets what the relay has. r.mu is held.
func (r *Room) chatsAcked(bytes uint64) {
	r.chats = slices.DeleteFunc(r.chats, func(c sentChat) bool { return c.end != 0 && c.end <= bytes })
}

// chatsReconnected sends again what may not have arrived, in its order. r.mu is held.
func (r *Room) chatsReconnected() {
	control := make([]any, 0, len(r.chats)+len(r.control))
	for i := range r.chats {
		control = append(control, r.chats[i].chat)
		r.chats[i].end = 0
	}
	for _, m := range r.control {
		if _, ok := m.(*signaling.Chat); !ok {
			control = append(control, m)
		}
	}
	r.control = control
}

// chatCame notes how far the chat is known.
func (r *Room) chatCame(m *signaling.Chat) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.chatAtUs = max(r.chatAtUs, m.AtUs)
}
