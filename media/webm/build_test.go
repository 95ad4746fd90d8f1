package webm

import (
	"bytes"
	"encoding/binary"
	"slices"

	"landline/media"
)

// Files built by hand, for what ffmpeg does not write.

func master(id uint32, parts ...[]byte) []byte { return appendBytes(nil, id, slices.Concat(parts...)) }

func number(id uint32, v uint64) []byte { return appendUint(nil, id, v) }

func text(id uint32, s string) []byte { return appendString(nil, id, s) }

// open is a master element of unknown size.
func open(id uint32, parts ...[]byte) []byte {
	return append(appendUnknown(nil, id), slices.Concat(parts...)...)
}

func ebml(docType string) []byte { return master(idEBML, text(idDocType, docType)) }

// entryOf is a TrackEntry with more elements behind what each one has.
func entryOf(track, kind uint64, codec string, more ...[]byte) []byte {
	return master(idTrackEntry, append([][]byte{number(idTrackNumber, track), number(idTrackType, kind), text(idCodecID, codec)}, more...)...)
}

func opusHead(channels int) []byte {
	return media.OpusHead{Channels: channels, PreSkip: 312, InputRate: media.OpusRate}.Marshal()
}

var opusEntry = entryOf(1, typeAudio, codecOpus, master(idCodecPrivate, opusHead(1)))

// blockOf is the data of a SimpleBlock or Block.
func blockOf(track byte, offset int16, flags byte, data ...[]byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{0x80 | track}, uint16(offset))
	return append(append(b, flags), slices.Concat(data...)...)
}

func simple(track byte, offset int16, data ...[]byte) []byte {
	return master(idSimpleBlock, blockOf(track, offset, flagKey, data...))
}

// file is a whole file with the given tracks and elements behind them.
func file(entries []byte, parts ...[]byte) []byte {
	return slices.Concat(ebml("webm"), master(idSegment, append([][]byte{master(idTracks, entries)}, parts...)...))
}

// packet is an Opus packet of 20 ms, n bytes long, filled with fill.
func packet(n int, fill byte) []byte {
	return append([]byte{0x08}, bytes.Repeat([]byte{fill}, n-1)...)
}
