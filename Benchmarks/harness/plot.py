"""The results as a picture: how fast each peer is, with raw libwebsockets as the measure."""

import math
from html import escape

from .rows import BEAST, EVENTS, LWS, RAW, RAW_UV, SYNC, WEBSOCKET_CLIENT, WEBSOCKETS

COLOURS = {
    LWS: "#d62728", RAW: "#444444", RAW_UV: "#aaaaaa", SYNC: "#1f77b4", EVENTS: "#7fb3e0", BEAST: "#2ca02c",
    WEBSOCKETS: "#e6a700", WEBSOCKET_CLIENT: "#9467bd",
}
LEFT, RIGHT, TOP, LINE = 190, 30, 96, 22
WIDTH = 900
MARKS = (1 / 64, 1 / 16, 1 / 4, 1, 4, 16)
LEAST, MOST = 1 / 100, 40


def place(speed):
    part = math.log(min(max(speed, LEAST), MOST) / LEAST) / math.log(MOST / LEAST)
    return LEFT + part * (WIDTH - LEFT - RIGHT)


def text(x, y, words, anchor="start", size=12, colour="#222", weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}" fill="{colour}" '
            f'font-weight="{weight}">{escape(words)}</text>')


def dot(x, y, peer):
    radius = 6 if peer == LWS else 4.5
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{COLOURS[peer]}" fill-opacity="0.9"/>'


def draw(rows, title):
    """`rows` are lists of measurements by peer; those without raw libwebsockets are left out."""
    shown = []
    for row in rows:
        times = {peer.removesuffix("-batch"): found.seconds for peer, found in row.items()
                 if found.results and not found.row.counts_calls}
        if row.get(LWS + "-batch"):
            times = {peer.removesuffix("-batch"): row[peer].seconds for peer in row
                     if row[peer].results and (peer.endswith("-batch") or peer == RAW)}
        if RAW in times and LWS in times:
            shown.append((next(iter(row.values())).row.name, times))
    height = TOP + LINE * len(shown) + 20
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
             f'viewBox="0 0 {WIDTH} {height}" font-family="Helvetica, Arial, sans-serif">',
             f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
             text(16, 24, title, size=15, weight="bold"),
             text(16, 44, "Speed against raw libwebsockets in one run, logarithmic: further right is faster.", size=12)]
    at = 16
    for peer, colour in COLOURS.items():
        parts += [dot(at + 6, 62, peer), text(at + 16, 66, peer)]
        at += 42 + 7 * len(peer)
    for mark in MARKS:
        x, colour = place(mark), "#444" if mark == 1 else "#ddd"
        parts.append(f'<line x1="{x:.1f}" y1="{TOP - 8}" x2="{x:.1f}" y2="{height - 14}" stroke="{colour}"/>')
        name = f"{mark:g}" if mark >= 1 else f"1/{1 / mark:g}"
        parts.append(text(x, TOP - 12, name, "middle", 11, "#555"))
    for number, (name, times) in enumerate(shown):
        y = TOP + LINE * number + 10
        if number % 2 == 0:
            parts.append(f'<rect x="0" y="{y - LINE / 2}" width="{WIDTH}" height="{LINE}" fill="#000" '
                         'fill-opacity="0.035"/>')
        parts.append(text(LEFT - 10, y + 4, name, "end"))
        # swift-lws last, so that it lies on top.
        for peer in sorted(times, key=lambda peer: peer == LWS):
            parts.append(dot(place(times[RAW] / times[peer]), y, peer))
    return "\n".join(parts + ["</svg>"]) + "\n"
