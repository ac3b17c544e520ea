"""The roles that an endpoint of a service may play: the whole vocabulary, with a sentence each.

A role is what stops working for a person when the endpoint does. Tables name no other; `control` is given by scripts
and by the names that a service calls its controls.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What a role is, and how a sentence speaks of it.

    ``word`` and ``head`` make its name, "image" and "hosts"; roles of one head share it: "image and video hosts".
    A role without a head is spoken of by its word alone, "the web page".
    """

    says: str
    word: str
    head: str = ""
    many: bool = True  # the verb that follows is in the plural


HOSTS, SERVERS = "hosts", "servers"

ROLES: dict[str, Role] = {
    "web": Role(word="the web page", many=False, says="The pages that a browser shows first."),
    "api": Role(word="the API", many=False, says="What apps and the page's own scripts ask for content."),
    "static": Role(word="script and style", head=HOSTS, says="Scripts, styles and fonts; without them a page is bare."),
    "auth": Role(word="sign-in", head=HOSTS, says="Where accounts are opened and passwords and tokens are taken."),
    "image": Role(word="image", head=HOSTS, says="Pictures, thumbnails and avatars."),
    "video": Role(word="video", head=HOSTS, says="Recorded video, mostly in segments."),
    "audio": Role(word="audio", head=HOSTS, says="Recorded sound: podcasts, voice notes, radio on demand."),
    "live": Role(word="live stream", head=HOSTS, says="Video or sound that is sent while it happens."),
    "upload": Role(word="upload", head=HOSTS, says="Where pictures, videos and files are sent."),
    "attachment": Role(word="attachment", head=HOSTS, says="Files, pictures and voice notes that messages carry."),
    "chat": Role(word="message", head=SERVERS, says="Messages, over a protocol of the service's own or inside TLS."),
    "push": Role(word="notification", head=HOSTS, says="What wakes an app up when something has arrived."),
    "websocket": Role(word="WebSocket", head=HOSTS, says="Long-lived connections over which news arrives at once."),
    "signalling": Role(word="call set-up", head=SERVERS, says="Where calls and meetings are arranged."),
    "media": Role(word="media", head=SERVERS, says="Voice and picture of calls and meetings, mostly over UDP."),
    "stun": Role(word="STUN", head=SERVERS, says="Tells a client its own address (RFC 8489)."),
    "turn": Role(word="TURN", head=SERVERS, says="Relays calls where two clients cannot meet (RFC 8656)."),
    "short-link": Role(word="short links", says="Names that only redirect, and through which shared links lead."),
    "download": Role(word="download", head=HOSTS, says="Where the app or its updates are fetched from."),
    "directory": Role(word="directory", head=SERVERS, says="Lists from which a client learns where to connect next."),
    "tunnel": Role(word="tunnel", head=SERVERS, says="The far ends of a VPN, proxy or bridge."),
    "resolver": Role(word="the resolver", many=False, says="Answers DNS queries, also inside TLS, HTTPS or QUIC."),
    "control": Role(word="the controls", says="Names that nobody minds, beside which others are judged."),
    "other": Role(word="other", head=HOSTS, says="Names of the service whose part nobody has written down."),
}  # fmt: skip
CONTROL, OTHER = "control", "other"
