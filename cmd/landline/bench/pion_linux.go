package bench

import (
	"io"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/webrtc/v4"

	"landline/media"
)

// Times after which Pion takes a connection for disconnected and for lost, and between two words of life: those of the relay.
const (
	quietTime = 5 * time.Second
	aliveTime = time.Second
)

// pionSettings are common to both ends. The cipher is the one that the relay prefers: what encryption costs is to be the same
// everywhere.
func pionSettings() (s webrtc.SettingEngine) {
	s.LoggerFactory = &logging.DefaultLoggerFactory{Writer: io.Discard, DefaultLogLevel: logging.LogLevelDisabled,
		ScopeLevels: map[string]logging.LogLevel{}}
	s.SetIncludeLoopbackCandidate(true)
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.DisableActiveTCP(true)
	s.SetSRTPProtectionProfiles(dtls.SRTP_AEAD_AES_128_GCM)
	s.SetICETimeouts(quietTime, quietTime, aliveTime)
	return s
}

// pionAPI is Pion with the codecs of the bench, and with such interceptors alone as are given. NACK is negotiated, as every player does:
// for such a receiver the relay keeps packets to send them again.
func pionAPI(s webrtc.SettingEngine, with *interceptor.Registry) (*webrtc.API, error) {
	m := &webrtc.MediaEngine{}
	nack := []webrtc.RTCPFeedback{{Type: "nack"}}
	opus := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: media.OpusRate, Channels: 2, SDPFmtpLine: "minptime=10;useinbandfec=1",
		RTCPFeedback: nack}
	if err := m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: opus, PayloadType: 111}, webrtc.RTPCodecTypeAudio); err != nil {
		return nil, err
	}
	vp8 := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeVP8, ClockRate: 90_000, RTCPFeedback: nack}
	if err := m.RegisterCodec(webrtc.RTPCodecParameters{RTPCodecCapability: vp8, PayloadType: 96}, webrtc.RTPCodecTypeVideo); err != nil {
		return nil, err
	}
	return webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithInterceptorRegistry(with), webrtc.WithSettingEngine(s)), nil
}
