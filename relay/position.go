package relay

import (
	"fmt"

	"landline/media"
)

// position is where a layer's stream of chunks stands.
type position struct {
	begun   bool // any group was seen
	group   uint32
	frame   uint16 // next frame of group, or the one that is open
	open    bool   // a frame was begun and not finished
	offset  uint32 // of the open frame
	length  uint32 // the open frame's announced length; 0 = unknown
	dead    bool   // the rest of group was abandoned, or broke off
	wrapped bool   // frame came round: group is full
	ended   bool
}

// OrderError says how a publisher broke the order of a layer (docs/protocol.md section 5.1).
type OrderError struct{ What string }

func (e *OrderError) Error() string { return "chunk out of order: " + e.What }

// follow checks that a chunk comes next, and moves on. ok is false for a chunk that is to be ignored: it belongs to
// a group that was given up. After an error p is of no use.
func (p *position) follow(c *media.Chunk, video bool) (ok bool, err error) {
	h := &c.ChunkHeader
	if h.Offset == 0 {
		if ok, err := p.beginFrame(h, video); !ok || err != nil {
			return ok, err
		}
	} else {
		if !p.open && (!p.begun || p.dead && h.Group >= p.group) {
			return false, nil // of a frame whose beginning was ignored
		}
		if !p.open || h.Group != p.group || h.Frame != p.frame || h.Offset != p.offset {
			return false, &OrderError{fmt.Sprintf("a piece at offset %d of group %d frame %d, where %s", h.Offset, h.Group, h.Frame, p.String())}
		}
	}
	p.offset = h.Offset + uint32(len(c.Payload))
	if p.length != 0 && (p.offset > p.length || h.Last && p.offset != p.length) {
		return false, &OrderError{fmt.Sprintf("a frame of %d bytes that was announced with %d", p.offset, p.length)}
	}
	if h.Last {
		p.open = false
		p.frame++
		p.wrapped = p.frame == 0
	}
	return true, nil
}

func (p *position) beginFrame(h *media.ChunkHeader, video bool) (ok bool, err error) {
	switch {
	case p.open:
		return false, &OrderError{fmt.Sprintf("group %d frame %d begins, where %s", h.Group, h.Frame, p.String())}
	case !p.begun || h.Group > p.group:
		if h.Frame != 0 || !h.Key {
			if p.dead || !p.begun {
				return false, nil // the tail of something lost in a reconnect
			}
			return false, &OrderError{fmt.Sprintf("group %d begins with frame %d, key %v", h.Group, h.Frame, h.Key)}
		}
		*p = position{begun: true, group: h.Group}
	case p.dead && h.Group == p.group:
		return false, nil
	case h.Group < p.group || h.Frame != p.frame || p.wrapped || !video:
		return false, &OrderError{fmt.Sprintf("group %d frame %d begins, where %s", h.Group, h.Frame, p.String())}
	}
	p.open = true
	p.length = 0
	if video {
		p.length = h.Length()
	}
	return true, nil
}

func (p *position) String() string {
	if p.open {
		return fmt.Sprintf("group %d frame %d is open at %d", p.group, p.frame, p.offset)
	}
	return fmt.Sprintf("group %d frame %d comes next", p.group, p.frame)
}
