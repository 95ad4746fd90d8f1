package signaling

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"landline/media"
)

// The limits of objects.
const (
	MaxObjectID   = 64  // bytes
	MaxObjectName = 255 // bytes
	MaxMIME       = 128 // bytes
)

// The reasons of a cancel.
const (
	CancelDeclined  = "declined"  // the receiver does not want it
	CancelCancelled = "cancelled" // one end has changed its mind
	CancelFailed    = "failed"    // one end could not read or write it
	CancelHash      = "hash"      // what came is not what was sent
	CancelLeft      = "left"      // the other end is gone: the relay's
)

// Offer offers an object to a member or, with To "", to all who are in the room now.
type Offer struct {
	Type   string `json:"type"`
	Req    int64  `json:"req,omitempty"`
	Object string `json:"object"`
	To     string `json:"to,omitempty"`
	Name   string `json:"name"`
	Size   uint64 `json:"size"`
	MIME   string `json:"mime,omitempty"`
}

// Offering answers Offer: to whom it went, on which streams.
type Offering struct {
	Type    string     `json:"type"`
	Req     int64      `json:"req,omitempty"`
	Object  string     `json:"object"`
	Streams []StreamTo `json:"streams"`
}

// StreamTo is one receiver's stream.
type StreamTo struct {
	Stream uint32 `json:"stream"`
	To     string `json:"to"`
}

// Offered tells a member of an object that it may accept.
type Offered struct {
	Type   string `json:"type"`
	Stream uint32 `json:"stream"`
	Object string `json:"object"`
	From   string `json:"from,omitempty"` // "": the server itself, of a recording that is watched alone
	Name   string `json:"name"`
	Size   uint64 `json:"size"`
	MIME   string `json:"mime,omitempty"`
	Part   int    `json:"part,omitempty"` // of a recording: which of its files this is, from 1 on
	Parts  int    `json:"parts,omitempty"`
}

// Accept takes a stream from Offset on.
type Accept struct {
	Type   string `json:"type"`
	Req    int64  `json:"req,omitempty"`
	Stream uint32 `json:"stream"`
	Offset uint64 `json:"offset,omitempty"`
}

// Accepted tells the sender to send from Offset on, in turn Turn.
type Accepted struct {
	Type   string `json:"type"`
	Stream uint32 `json:"stream"`
	Object string `json:"object"`
	To     string `json:"to"`
	Offset uint64 `json:"offset,omitempty"`
	Turn   uint16 `json:"turn"`
}

// Credit says that a receiver has consumed all up to Offset.
type Credit struct {
	Type   string `json:"type"`
	Req    int64  `json:"req,omitempty"`
	Stream uint32 `json:"stream"`
	Offset uint64 `json:"offset"`
}

// Finish tells the hash of the whole object, in hexadecimal.
type Finish struct {
	Type   string `json:"type"`
	Req    int64  `json:"req,omitempty"`
	Stream uint32 `json:"stream"`
	SHA256 string `json:"sha256"`
}

// Received says that the receiver has the whole object, and that its hash is right. The stream is over.
type Received struct {
	Type   string `json:"type"`
	Req    int64  `json:"req,omitempty"`
	Stream uint32 `json:"stream"`
}

// Cancel ends a stream from either end.
type Cancel struct {
	Type   string `json:"type"`
	Req    int64  `json:"req,omitempty"`
	Stream uint32 `json:"stream"`
	Reason string `json:"reason"`
}

// CheckObject applies the rules for what is offered; its error is a bad-object.
func (m *Offer) CheckObject() error {
	if m.Object == "" || len(m.Object) > MaxObjectID || CheckKey(m.Object) != nil {
		return fmt.Errorf("object %q: 1 to %d bytes", clip(m.Object), MaxObjectID)
	}
	if err := CheckObjectName(m.Name); err != nil {
		return err
	}
	if m.Size > media.MaxObjectSize {
		return fmt.Errorf("%q has %d bytes, over 1 TiB", clip(m.Name), m.Size)
	}
	if len(m.MIME) > MaxMIME || CheckKey(m.MIME) != nil {
		return fmt.Errorf("mime %q: at most %d bytes", clip(m.MIME), MaxMIME)
	}
	return nil
}

// CheckObjectName applies the rules for the name of an object: it is the name of a file, never a path.
func CheckObjectName(name string) error {
	switch {
	case name == "" || len(name) > MaxObjectName || !utf8.ValidString(name):
		return fmt.Errorf("name %q: 1 to %d bytes", clip(name), MaxObjectName)
	case name == "." || name == ".." || strings.ContainsAny(name, `/\`):
		return fmt.Errorf("name %q is a path", clip(name))
	}
	for _, r := range name {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == unicode.ReplacementChar {
			return fmt.Errorf("name %q has a control character", clip(name))
		}
	}
	return nil
}

func (m *Finish) check() error {
	if b, err := hex.DecodeString(m.SHA256); err != nil || len(b) != 32 || m.SHA256 != strings.ToLower(m.SHA256) {
		return errors.New("sha256: 64 hexadecimal digits, small letters")
	}
	return nil
}

func (m *Cancel) check() error {
	switch m.Reason {
	case CancelDeclined, CancelCancelled, CancelFailed, CancelHash, CancelLeft:
		return nil
	}
	return fmt.Errorf("reason %q: declined, cancelled, failed or hash", clip(m.Reason))
}
