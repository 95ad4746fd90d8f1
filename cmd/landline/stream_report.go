package main

import (
	"encoding/json"
	"io"

	"landline/media"
	"landline/relay"
	"landline/signaling"
	"landline/signaling/client"
)

// outTrack is a track that was offered to the room.
type outTrack struct {
	offer signaling.Track
	track *client.Outgoing
}

// maxPublished is how many tracks are reported on: the newest.
const maxPublished = 100

// streamReport is what stream --json writes.
type streamReport struct {
	Room       string              `json:"room"`
	Member     string              `json:"member"`
	Name       string              `json:"name"`
	Duration   float64             `json:"duration_s"`
	Played     int                 `json:"played"`  // files of which at least one packet was sent, each time anew
	Skipped    int                 `json:"skipped"` // files that were passed over
	Tracks     []streamTrackReport `json:"tracks"`
	Reconnects int                 `json:"reconnects"`
	Error      string              `json:"error,omitempty"`
}

// streamTrackReport counts what was taken from the source, and what of it was dropped in the own uplink.
type streamTrackReport struct {
	ID        string            `json:"id"`
	Codec     media.Codec       `json:"codec"`
	Frames    uint64            `json:"frames"`
	Bytes     uint64            `json:"bytes"`
	KeyFrames uint64            `json:"key_frames"`
	Path      pathReport        `json:"frames_by_path"`
	Drops     map[string]uint64 `json:"drops"`
	// Layers is there where the track has several, in order of rising height.
	Layers []streamLayerReport `json:"layers,omitempty"`
}

type streamLayerReport struct {
	Width     int               `json:"width"`
	Height    int               `json:"height"`
	Frames    uint64            `json:"frames"`
	Bytes     uint64            `json:"bytes"`
	KeyFrames uint64            `json:"key_frames"`
	Drops     map[string]uint64 `json:"drops"`
}

func (p *pacer) report(failed error) error {
	r := streamReport{Room: p.cmd.Room, Member: p.room.Self(), Name: p.cmd.Name, Reconnects: p.room.Reconnects(),
		Played: p.clips.played, Skipped: p.clips.skipped, Duration: max(0, float64(p.ends-memberZero)/1e6), Tracks: []streamTrackReport{}}
	if failed != nil {
		r.Error = failed.Error()
	}
	for _, t := range p.tracks {
		o, s := t.offer, t.track.Stats()
		track := streamTrackReport{ID: o.ID, Codec: o.Codec, Frames: s.Frames, Bytes: s.Bytes, KeyFrames: s.KeyFrames,
			Path: pathReport{s.Frames - s.Side, s.Side}, Drops: dropNames(s.Drops)}
		for j, l := range o.Layers {
			s := t.track.Layers()[j].Stats()
			track.Layers = append(track.Layers, streamLayerReport{l.Width, l.Height, s.Frames, s.Bytes, s.KeyFrames, dropNames(s.Drops)})
		}
		r.Tracks = append(r.Tracks, track)
	}
	if !p.cmd.JSON {
		p.con.log.Info("streamed", "seconds", r.Duration, "played", r.Played, "skipped", r.Skipped, "tracks", r.Tracks, "reconnects", r.Reconnects)
		return nil
	}
	return writeJSON(p.con.out, r)
}

// dropNames gives drop counts by the names of their reasons, without zeroes.
func dropNames(d relay.DropCounts) map[string]uint64 {
	named := map[string]uint64{}
	for why, n := range d {
		if n > 0 {
			named[media.DropReason(why).String()] = n
		}
	}
	return named
}

// writeJSON writes the one object of --json.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	return enc.Encode(v)
}
