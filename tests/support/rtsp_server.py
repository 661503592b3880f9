"""A real RTSP server (GStreamer's) for tests, run by the system's Python: `python3 rtsp_server.py PORT FILE`.

`/camera` plays a moving test picture with G.711 audio; `/record` writes what is pushed to it into FILE (Matroska).
Needs Debian's python3-gst-1.0, gir1.2-gst-rtsp-server-1.0, gstreamer1.0-plugins-{good,bad,ugly} or their like.
"""

import sys

CAMERA = (
    "( videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=25/1 ! "
    "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=10 ! rtph264pay name=pay0 config-interval=1 "
    "audiotestsrc is-live=true ! audio/x-raw,rate=8000,channels=1 ! alawenc ! rtppcmapay name=pay1 )"
)
RECORD = (
    "( rtph264depay name=depay0 ! h264parse ! mux. rtppcmadepay name=depay1 ! mux. "
    "matroskamux name=mux streamable=true ! filesink location={} )"
)


def main(port, file):
    import gi  # a package of the system's Python alone: pytest imports this module for its examples

    gi.require_version("Gst", "1.0")
    gi.require_version("GstRtspServer", "1.0")
    from gi.repository import GLib, Gst, GstRtspServer

    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    camera, record = GstRtspServer.RTSPMediaFactory(), GstRtspServer.RTSPMediaFactory()
    camera.set_launch(CAMERA)
    camera.set_shared(True)
    record.set_launch(RECORD.format(file))
    record.set_transport_mode(GstRtspServer.RTSPTransportMode.RECORD)
    server.get_mount_points().add_factory("/camera", camera)
    server.get_mount_points().add_factory("/record", record)
    if not server.attach(None):
        sys.exit(f"port {port} is in use")
    print("ready", flush=True)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main(*sys.argv[1:])
