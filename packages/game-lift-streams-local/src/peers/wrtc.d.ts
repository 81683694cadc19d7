/**
 * The part of `@roamhq/wrtc` that is used. Its own types are the DOM's, which this project's programs for Node
 * compile without: they would all be `any`.
 */
declare module '@roamhq/wrtc' {
  interface SessionDescription {
    readonly type: 'offer' | 'answer';
    readonly sdp: string;
  }
  interface DataChannel {
    readonly label: string;
    readonly readyState: 'connecting' | 'open' | 'closing' | 'closed';
    onclose: (() => void) | null;
    onmessage: ((event: { readonly data: unknown }) => void) | null;
    send(data: string): void;
  }
  interface MediaStreamTrack {
    stop(): void;
  }
  class RTCPeerConnection {
    readonly connectionState: 'new' | 'connecting' | 'connected' | 'disconnected' | 'failed' | 'closed';
    readonly iceGatheringState: 'new' | 'gathering' | 'complete';
    readonly localDescription: SessionDescription | null;
    onconnectionstatechange: (() => void) | null;
    onicegatheringstatechange: (() => void) | null;
    ondatachannel: ((event: { readonly channel: DataChannel }) => void) | null;
    addTrack(track: MediaStreamTrack): unknown;
    setRemoteDescription(description: SessionDescription): Promise<void>;
    createAnswer(): Promise<SessionDescription>;
    setLocalDescription(description: SessionDescription): Promise<void>;
    close(): void;
  }
  interface VideoFrame {
    readonly width: number;
    readonly height: number;
    readonly data: Uint8ClampedArray;
  }
  class RTCVideoSource {
    createTrack(): MediaStreamTrack;
    onFrame(frame: VideoFrame): void;
  }
  // CommonJS without a marker: Node gives it to an import as the default alone.
  const wrtc: {
    readonly RTCPeerConnection: typeof RTCPeerConnection;
    readonly nonstandard: {
      readonly RTCVideoSource: typeof RTCVideoSource;
      rgbaToI420(rgba: VideoFrame, i420: VideoFrame): void;
    };
  };
  export default wrtc;
  export type { DataChannel, MediaStreamTrack, RTCPeerConnection, RTCVideoSource, VideoFrame };
}
