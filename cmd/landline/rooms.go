package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"landline/signaling"
	"landline/signaling/server"
)

type roomsCmd struct{ connectFlags }

// Help is the longer text of --help.
func (c *roomsCmd) Help() string {
	return `A relay with keys wants a token that grants admin:

    landline rooms --token "$(landline token --room '*' --identity ops --grant admin)"`
}

// rateTime is between the two looks from which bit rates are told.
const rateTime = time.Second

// maxRooms bounds the answer of a relay, in bytes.
const maxRooms = 64 << 20

// Run implements the command.
func (c *roomsCmd) Run(ctx context.Context, con *console) error {
	before, err := c.fetch(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return writeJSON(con.out, map[string]any{"rooms": before.Rooms})
	}
	if len(before.Rooms) == 0 {
		_, err := fmt.Fprintln(con.out, "no rooms")
		return err
	}
	select {
	case <-time.After(rateTime):
	case <-ctx.Done():
		return nil
	}
	now, err := c.fetch(ctx)
	if err != nil {
		return err
	}
	return printRooms(con.out, before, now)
}

// fetch asks the relay for what it knows.
func (c *roomsCmd) fetch(ctx context.Context) (*server.RoomsReply, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	address, err := apiURL(c.URL, "rooms")
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, errors.New("the relay wants a token that grants admin: see landline token --grant admin")
	default:
		return nil, fmt.Errorf("%s answers %s", address, resp.Status)
	}
	var reply server.RoomsReply
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxRooms)).Decode(&reply); err != nil {
		return nil, fmt.Errorf("%s does not answer as a Landline relay: %w", address, err)
	}
	return &reply, nil
}

// apiURL is the address of a resource under /api at a relay's address.
func apiURL(relay, name string) (string, error) { return relayURL(relay, "api/"+name) }

// relayURL is the address of a path at a relay's address.
func relayURL(relay, path string) (string, error) {
	u, err := url.Parse(relay)
	if err != nil {
		return "", usagef("--url: %w", err)
	}
	switch u.Scheme {
	case "ws":
		u.Scheme = "http"
	case "wss":
		u.Scheme = "https"
	}
	u.Path = strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), "/ws") + "/" + path
	return u.String(), nil
}

// printRooms writes a table with one line per member. Bit rates are those between two replies.
func printRooms(w io.Writer, before, now *server.RoomsReply) error {
	seconds := float64(now.UptimeMs-before.UptimeMs) / 1000
	sent := map[[3]string]uint64{}
	for _, r := range before.Rooms {
		for _, m := range r.Members {
			for _, t := range m.Tracks {
				sent[[3]string{r.Room, m.ID, t.ID}] = t.Bytes
			}
		}
	}
	table := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	fmt.Fprintln(table, "ROOM\tMEMBER\tSTATE\tOVER\tMEDIA\tSENDS\tLATE\tWAITS\tLINK\tDROPPED")
	for _, r := range now.Rooms {
		for _, m := range r.Members {
			var sends []string
			for _, t := range m.Tracks {
				was, known := sent[[3]string{r.Room, m.ID, t.ID}]
				text := t.ID + " " + t.Codec
				if known && t.Bytes >= was && seconds > 0 {
					text += " " + bitsText(float64(t.Bytes-was)*8/seconds)
				}
				text += layersText(t.Layers)
				if t.Muted {
					text += " (muted)"
				}
				sends = append(sends, text)
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%.0f ms\t%d B\t%s\t%s\n", r.Room, memberText(m), m.State, m.Transport, orDash(pathsText(m.Paths)),
				orDash(strings.Join(sends, ", ")), m.Link.QueueAgeMs, m.Link.QueueBytes, linkText(m.Link), orDash(dropsText(m.Link.Drops)))
		}
	}
	return table.Flush()
}

// pathsText tells how much media came and went by each path.
func pathsText(paths []server.PathStatus) string {
	var parts []string
	for _, p := range paths {
		if p.BytesIn+p.BytesOut > 0 {
			parts = append(parts, fmt.Sprintf("%s %.1f MB in %.1f MB out", p.Path, float64(p.BytesIn)/1e6, float64(p.BytesOut)/1e6))
		}
	}
	return strings.Join(parts, ", ")
}

func memberText(m server.MemberStatus) string {
	if m.Name == "" {
		return m.ID
	}
	return m.Name + " (" + m.ID + ")"
}

// linkText tells what a member's link takes, where that was seen, and what stands between.
func linkText(l server.LinkStatus) string {
	text := "-"
	if l.RTTMs > 0 {
		text = fmt.Sprintf("%.0f ms", l.RTTMs)
	}
	if l.Capacity > 0 {
		text = fmt.Sprintf("full at %s, %s + %.0f ms", bitsText(float64(l.Capacity)*8), text, l.DelayMs)
	}
	if l.ClosedGates > 0 {
		text += fmt.Sprintf(", %d waiting for a key frame", l.ClosedGates)
	}
	for _, sent := range l.Layers {
		if sent.Why != signaling.WhyAsked {
			text += fmt.Sprintf(", %s at %d (%s)", sent.Track, sent.Height, sent.Why)
		}
	}
	if l.Muffled > 0 {
		text += fmt.Sprintf(", %d speakers left out", l.Muffled)
	}
	return text
}

// layersText tells of each layer of a track how much of it comes, and to how many it goes.
func layersText(layers []server.LayerStatus) string {
	var parts []string
	for _, l := range layers {
		text := fmt.Sprintf("%d %s to %d", l.Height, bitsText(float64(l.Rate)*8), l.Takers)
		switch {
		case !l.Made:
			text = fmt.Sprintf("%d not made", l.Height)
		case !l.Wanted:
			text = fmt.Sprintf("%d unwanted", l.Height)
		}
		parts = append(parts, text)
	}
	if parts == nil {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// dropsText names the reasons in order.
func dropsText(drops map[string]uint64) string {
	var parts []string
	for why, n := range drops {
		if n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", why, n))
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
