package signaling

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf8"
)

// The limits of topics.
const (
	MaxKey       = 128  // bytes
	MaxValue     = 4096 // bytes of JSON
	MaxPutValues = 1024
	MaxSource    = 64 // bytes
)

// Put says something on a topic.
type Put struct {
	Type   string     `json:"type"`
	Req    int64      `json:"req,omitempty"`
	Topic  string     `json:"topic"`
	Mode   string     `json:"mode"`
	Source string     `json:"source,omitempty"`
	N      uint64     `json:"n,omitempty"`
	Owned  bool       `json:"owned,omitempty"`
	Values []PutValue `json:"values"`
}

// PutValue is one value of a Put; null says that the key is gone.
type PutValue struct {
	Key   string          `json:"key,omitempty"`
	Value json.RawMessage `json:"value"`
}

// Gone reports whether the value says that its key is gone.
func (v PutValue) Gone() bool { return bytes.Equal(v.Value, []byte("null")) }

// Follow asks to be told of a topic: what it holds behind the number After of its Epoch, and what comes.
type Follow struct {
	Type  string `json:"type"`
	Req   int64  `json:"req,omitempty"`
	Topic string `json:"topic"`
	Mode  string `json:"mode"`
	Epoch string `json:"epoch,omitempty"`
	After uint64 `json:"after,omitempty"`
}

// Unfollow ends Follow.
type Unfollow struct {
	Type  string `json:"type"`
	Req   int64  `json:"req,omitempty"`
	Topic string `json:"topic"`
}

// Data tells of a topic: its values numbered From+1 to To, of which those of a key that was put again are left out. Head
// is the newest number. Missed counts values of an ordered topic behind From that were gone before they could be told.
type Data struct {
	Type   string  `json:"type"`
	Topic  string  `json:"topic"`
	Mode   string  `json:"mode"`
	Epoch  string  `json:"epoch"`
	From   uint64  `json:"from"`
	To     uint64  `json:"to"`
	Head   uint64  `json:"head"`
	Missed uint64  `json:"missed,omitempty"`
	Values []Value `json:"values"`
}

// Value is one value of a topic. Seq, AtUs (µs since 1970) and By (a member) are the server's.
type Value struct {
	Key   string          `json:"key,omitempty"`
	Value json.RawMessage `json:"value"`
	Seq   uint64          `json:"seq"`
	AtUs  int64           `json:"atUs"`
	By    string          `json:"by"`
}

// CheckTopic applies the rules for the name and the mode of a topic.
func CheckTopic(topic, mode string) error {
	if !roomRule.MatchString(topic) {
		return fmt.Errorf("topic %q: 1 to 64 characters of A-Z a-z 0-9 _ . ~ -, beginning with a letter or digit", clip(topic))
	}
	if mode != "latest" && mode != "ordered" && mode != "lossy" {
		return fmt.Errorf("mode %q: latest, ordered or lossy", clip(mode))
	}
	return nil
}

// CheckKey applies the rule for keys: at most 128 bytes, none of them a control character.
func CheckKey(key string) error {
	if len(key) > MaxKey || !utf8.ValidString(key) {
		return fmt.Errorf("key %q: at most %d bytes", clip(key), MaxKey)
	}
	for _, r := range key {
		if r < ' ' || r == utf8.RuneError {
			return fmt.Errorf("key %q has a control character", clip(key))
		}
	}
	return nil
}

func (m *Put) check() error  { return checkSource(m.Source, m.N) }
func (m *Chat) check() error { return checkSource(m.Source, m.N) }

func checkSource(source string, n uint64) error {
	if len(source) > MaxSource || (source == "") != (n == 0) || n > 1<<53 {
		return errors.New("source (at most 64 bytes) and n (from 1) go together")
	}
	return nil
}

// CheckValues applies the rules for the values of a put.
func (m *Put) CheckValues() error {
	if len(m.Values) == 0 || len(m.Values) > MaxPutValues {
		return fmt.Errorf("%d values: 1 to %d", len(m.Values), MaxPutValues)
	}
	for _, v := range m.Values {
		if err := CheckKey(v.Key); err != nil {
			return err
		}
		if len(v.Value) == 0 || len(v.Value) > MaxValue {
			return fmt.Errorf("the value of %q has %d bytes: 1 to %d of JSON", clip(v.Key), len(v.Value), MaxValue)
		}
	}
	return nil
}
