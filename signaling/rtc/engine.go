package rtc

import (
	"fmt"
	"strings"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/interceptor/pkg/report"
	"github.com/pion/webrtc/v4"

	"landline/media"
)

// Times of a PeerConnection.
const (
	connectTime = 10 * time.Second // from the answer until it is connected
	quietTime   = 5 * time.Second  // without a packet until it is taken for disconnected
	deadTime    = 5 * time.Second  // and from then until it is over
	nackCache   = 512              // packets kept for retransmission, for each m-line

	// How many packets a retransmission may be behind the newest one. By Pion's default, 64, it is taken for a replay where a key frame
	// has followed.
	replayWindow = 2048
)

const audioLevel = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"

var mimes = map[media.Codec]string{media.Opus: webrtc.MimeTypeOpus, media.VP8: webrtc.MimeTypeVP8, media.VP9: webrtc.MimeTypeVP9,
	media.H264: webrtc.MimeTypeH264, media.AV1: webrtc.MimeTypeAV1}

// codecOf gives the codec of a MIME type; "" for one that is not carried.
func codecOf(mime string) media.Codec {
	for c, m := range mimes {
		if strings.EqualFold(m, mime) {
			return c
		}
	}
	return ""
}

// offered lists what we send and take, by payload type; each but Opus has the next one for its retransmissions.
var offered = []struct {
	codec media.Codec
	pt    webrtc.PayloadType
	fmtp  string
}{
	{media.Opus, 111, "minptime=10;useinbandfec=1"},
	{media.VP8, 96, ""},
	{media.VP9, 98, "profile-id=0"},
	{media.VP9, 100, "profile-id=2"},
	{media.H264, 102, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f"},
	{media.H264, 104, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f"},
	{media.H264, 106, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=4d001f"},
	{media.H264, 108, "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=64001f"},
	{media.AV1, 45, "profile=0"},
}

// mimeRed is sound that carries what was before it as well (RFC 2198), of the Opus above. It is sent alone.
const (
	mimeRed = "audio/red"
	redPT   = 63
	redFmtp = "111/111"
)

func mediaEngine() (*webrtc.MediaEngine, error) {
	m := &webrtc.MediaEngine{}
	for _, o := range offered {
		kind, capability := webrtc.RTPCodecTypeVideo, webrtc.RTPCodecCapability{MimeType: mimes[o.codec], ClockRate: 90_000, SDPFmtpLine: o.fmtp,
			RTCPFeedback: []webrtc.RTCPFeedback{{Type: "nack"}, {Type: "nack", Parameter: "pli"}, {Type: "ccm", Parameter: "fir"}}}
		if o.codec == media.Opus {
			kind, capability.ClockRate, capability.Channels = webrtc.RTPCodecTypeAudio, media.OpusRate, 2
			capability.RTCPFeedback = capability.RTCPFeedback[:1]
		}
		if err := m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: capability, PayloadType: o.pt}, kind); err != nil {
			return nil, err
		}
	}
	return m, m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: audioLevel}, webrtc.RTPCodecTypeAudio)
}

// addMending adds what mends losses of what is sent: redundant sound, and a stream of their own for retransmissions of pictures.
func addMending(m *webrtc.MediaEngine) error {
	err := m.RegisterCodec(webrtc.RTPCodecParameters{PayloadType: redPT, RTPCodecCapability: webrtc.RTPCodecCapability{MimeType: mimeRed,
		ClockRate: media.OpusRate, Channels: 2, SDPFmtpLine: redFmtp}}, webrtc.RTPCodecTypeAudio)
	for _, o := range offered {
		if o.codec != media.Opus && err == nil {
			err = m.RegisterCodec(webrtc.RTPCodecParameters{PayloadType: o.pt + 1, RTPCodecCapability: webrtc.RTPCodecCapability{
				MimeType: webrtc.MimeTypeRTX, ClockRate: 90_000, SDPFmtpLine: fmt.Sprintf("apt=%d", o.pt)}}, webrtc.RTPCodecTypeVideo)
		}
	}
	return err
}

// newAPI makes Pion's API with what is needed and nothing else: receiver reports. What a sender report tells we know better: see line.report.
// What is missing, and for how long it is waited for, the receiver knows, and what was sent the line. answers: it answers offers.
func newAPI(settings webrtc.SettingEngine, answers bool) (*webrtc.API, error) {
	m, err := mediaEngine()
	if err == nil && answers {
		err = addMending(m)
	}
	if err != nil {
		return nil, err
	}
	registry := &interceptor.Registry{}
	reports, err := report.NewReceiverInterceptor()
	if err != nil {
		return nil, err
	}
	registry.Add(reports)
	settings.SetSRTPReplayProtectionWindow(replayWindow)
	settings.SetSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM, dtls.SRTP_AES128_CM_HMAC_SHA1_80)
	settings.SetICETimeouts(quietTime, deadTime, time.Second)
	settings.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	return webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithInterceptorRegistry(registry), webrtc.WithSettingEngine(settings)), nil
}
