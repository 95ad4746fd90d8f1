package webm

import "fmt"

// Element IDs (RFC 9559 section 5.1), with their length marker.
const (
	idEBML            = 0x1A45DFA3
	idEBMLVersion     = 0x4286
	idEBMLReadVersion = 0x42F7
	idEBMLMaxIDLen    = 0x42F2
	idEBMLMaxSizeLen  = 0x42F3
	idDocType         = 0x4282
	idDocTypeVersion  = 0x4287
	idDocTypeReadVer  = 0x4285
	idVoid            = 0xEC
	idSegment         = 0x18538067
	idSeekHead        = 0x114D9B74
	idSeek            = 0x4DBB
	idSeekID          = 0x53AB
	idSeekPosition    = 0x53AC
	idInfo            = 0x1549A966
	idTimestampScale  = 0x2AD7B1
	idDuration        = 0x4489
	idMuxingApp       = 0x4D80
	idWritingApp      = 0x5741
	idTags            = 0x1254C367
	idChapters        = 0x1043A770
	idAttachments     = 0x1941A469
	idCues            = 0x1C53BB6B
	idCuePoint        = 0xBB
	idCueTime         = 0xB3
	idCueTrackPos     = 0xB7
	idCueTrack        = 0xF7
	idCueClusterPos   = 0xF1

	idCluster        = 0x1F43B675
	idTimestamp      = 0xE7
	idSimpleBlock    = 0xA3
	idBlockGroup     = 0xA0
	idBlock          = 0xA1
	idBlockDuration  = 0x9B
	idReferenceBlock = 0xFB

	idTracks          = 0x1654AE6B
	idTrackEntry      = 0xAE
	idTrackNumber     = 0xD7
	idTrackUID        = 0x73C5
	idTrackType       = 0x83
	idFlagLacing      = 0x9C
	idDefaultDuration = 0x23E383
	idName            = 0x536E
	idCodecID         = 0x86
	idCodecPrivate    = 0x63A2
	idCodecDelay      = 0x56AA
	idLanguage        = 0x22B59C
	idSeekPreRoll     = 0x56BB

	idVideo         = 0xE0
	idPixelWidth    = 0xB0
	idPixelHeight   = 0xBA
	idCropBottom    = 0x54AA
	idCropTop       = 0x54BB
	idCropLeft      = 0x54CC
	idCropRight     = 0x54DD
	idColour        = 0x55B0
	idMatrix        = 0x55B1
	idRange         = 0x55B9
	idTransfer      = 0x55BA
	idPrimaries     = 0x55BB
	idAudio         = 0xE1
	idSamplingFreq  = 0xB5
	idChannels      = 0x9F
	idEncodings     = 0x6D80
	idEncoding      = 0x6240
	idEncodingScope = 0x5032
	idEncodingType  = 0x5033
	idCompression   = 0x5034
	idCompAlgo      = 0x4254
	idCompSettings  = 0x4255
)

// names are for messages; what is not here is shown as a number.
var names = map[uint32]string{
	idEBML: "EBML header", idSegment: "Segment", idSeekHead: "SeekHead", idInfo: "Info", idTracks: "Tracks",
	idCluster: "Cluster", idCues: "Cues", idTags: "Tags", idChapters: "Chapters", idAttachments: "Attachments",
	idVoid: "Void", idTimestamp: "Timestamp", idSimpleBlock: "SimpleBlock", idBlockGroup: "BlockGroup",
	idBlock: "Block", idTrackEntry: "TrackEntry", idVideo: "Video", idAudio: "Audio", idColour: "Colour",
	idEncodings: "ContentEncodings", idEncoding: "ContentEncoding", idCompression: "ContentCompression",
}

func name(id uint32) string {
	if n, ok := names[id]; ok {
		return n
	}
	return fmt.Sprintf("element 0x%X", id)
}

// topLevel reports whether the element is a child of the Segment, or starts another file: what ends a
// Cluster or Segment of unknown size.
func topLevel(id uint32) bool {
	switch id {
	case idCluster, idCues, idSeekHead, idInfo, idTracks, idTags, idChapters, idAttachments, idSegment, idEBML:
		return true
	}
	return false
}
