package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"landline/relay/play"
)

// relayAPI is what is under /api/recordings or /api/playback of a relay.
type relayAPI struct {
	flags    *connectFlags
	resource string
}

const maxReply = 16 << 20 // bytes of a relay's answer

// do makes one request, whose answer is read into into unless that is nil.
func (a relayAPI) do(ctx context.Context, method, path string, body, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	resp, err := a.request(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if into == nil {
		return nil
	}
	return decodeReply(resp.Body, into)
}

func decodeReply(body io.Reader, into any) error {
	if err := json.NewDecoder(io.LimitReader(body, maxReply)).Decode(into); err != nil {
		return fmt.Errorf("the relay's answer: %w", err)
	}
	return nil
}

// request makes a request, whose body is JSON, or what is read, and gives the answer of one that went well. The caller closes its body.
func (a relayAPI) request(ctx context.Context, method, path string, body any) (*http.Response, error) {
	address, err := apiURL(a.flags.URL, a.resource)
	if err != nil {
		return nil, err
	}
	var content io.Reader
	if stream, ok := body.(io.Reader); ok {
		content = stream
	} else if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, address+path, content)
	if err != nil {
		return nil, err
	}
	if a.flags.Token != "" {
		req.Header.Set("Authorization", "Bearer "+a.flags.Token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode < 300 {
		return resp, nil
	}
	defer resp.Body.Close()
	text, _ := io.ReadAll(io.LimitReader(resp.Body, 500))
	switch reason := strings.TrimSpace(string(text)); resp.StatusCode {
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		for _, known := range []error{errNoRecording, play.ErrNothing} {
			if reason == known.Error() {
				return nil, known
			}
		}
		return nil, errors.New("the relay does not record: see --recordings of landline serve")
	default:
		return nil, fmt.Errorf("the relay refuses: %s", reason)
	}
}
