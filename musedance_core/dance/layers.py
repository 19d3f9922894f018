"""Cuts a picture into layers with joints that turn without gaps.

Of two parts that meet at a joint, the upper one has a round end of the picture's own pixels. The
lower one goes on under it: limbs up to their joint under the trunk, with their colours drawn out
along the bone, the trunk under head and arms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from scipy import ndimage
from torch import Tensor

from .draw_order import draw_order
from .fill import continued
from .label_cleaning import SETTINGS as CLEANING
from .label_cleaning import in_one_piece, smoothed, touching_changes
from .outlines import THRESHOLDS as OUTLINES
from .outlines import share_outlines
from .part_distances import LIMB_OF_PART, LIMBS
from .raster import Labels, Mask, closed, depths, half_width, hull
from .regions import thick_regions
from .sections import Section, deepest_near, section_of, split_limbs
from .skeleton import BONES, PART_INDEX, PARTS


@dataclass(frozen=True)
class LayerSettings:
    """Shape of the layers at joints and under other layers."""

    seam: int = 2  # pixels by which a layer goes on under those that cover it, whatever its shape
    closing: float = 0.06  # radius in body heights of gaps of the trunk closed under other parts
    behind_limb: float = 0.1  # the same behind limbs in front of the trunk
    off_middle: float = 0.06  # way in body heights by which elbows and knees move to the middle
    largest_ball: float = 1.6  # radius of a shoulder or hip in radii of its limb
    usual_width: float = 0.3  # quantile of the sections of a limb that is its usual width
    window: int = 24  # pixels around a hidden place from which the colours to fill it come
    empty: float = 1 / 255  # alpha of an empty pixel


SETTINGS = LayerSettings()


class LayerCutter:
    """Makes layers of labelled pixels, with joints that turn without gaps."""

    def __init__(self, picture: Tensor, labels: Labels, joints: Tensor) -> None:
        self.colours = torch.cat([picture[:3] * picture[3:], picture[3:]])
        self.alpha = picture[3]
        self.labels = labels
        self.joints = joints.clone()
        self.height = float(labels.shape[0])
        self.solid = picture[3].numpy() > 0.5
        self.depth = depths(self.solid)
        y, x = torch.meshgrid(*(torch.arange(n) + 0.5 for n in labels.shape), indexing="ij")
        self.points = torch.stack([x, y], dim=-1)
        self.order = draw_order(labels, self.solid, joints.numpy())
        self.straight = self.colours[:3] / self.colours[3:].clamp_min(SETTINGS.empty)
        self.outlines = share_outlines(
            *(labels, np.array(LIMB_OF_PART), self.straight, self.solid),
            thick_regions(self.colours.numpy(), self.solid),
            self.order,
        )
        shared = touching_changes(labels, self.outlines.labels, self.solid)
        self.labels = smoothed(shared, max(1.0, CLEANING.smooth_parts * self.height))
        self._embed_joints()
        self._centre_joints()
        # Segments meet where the joints are now.
        self.labels = in_one_piece(split_limbs(self.labels, self.joints.numpy()), self.solid)
        # Every pixel's share of each part; pixels between two parts are of both.
        own = torch.from_numpy(np.stack([self.labels == i for i in range(len(PARTS))])).float()
        self.shares = F.avg_pool2d(F.pad(own[None], (1, 1, 1, 1), mode="replicate"), 3, 1)[0]
        # Hidden parts stay off the figure's edges, so that these are not drawn twice.
        self.interior = -F.max_pool2d(-self.alpha[None], 3, 1, 1)[0]
        self.roots = {limb: self._root(limb) for limb in LIMBS}

    def layers(self) -> Tensor:
        """The layers `[p 4 h w]`, premultiplied."""
        result = torch.zeros(len(PARTS), *self.colours.shape)
        for place, part in enumerate(self.order):
            above = torch.from_numpy(np.isin(self.labels, self.order[place + 1 :]))
            below = torch.from_numpy(np.isin(self.labels, self.order[:place]))
            own = torch.from_numpy(self.labels == part)
            # Borders are soft on the side of the parts below; those go on under them.
            seen = own & torch.from_numpy(self.solid)
            border = 0.5 * F.max_pool2d(seen.float()[None], 3, 1, 1)[0] * below
            cap = self._cap(part)
            border = border * torch.maximum(self._alike(part), (cap > 0).float())
            layer = self.colours * (own + border + cap).clamp(0, 1)
            hidden = self._hidden(part, above)
            result[part] = _over(layer, hidden)
        return result

    # Joints -------------------------------------------------------------------------------------

    def _segments(self, limb: str) -> list[str]:
        """Segments of a limb that are there."""
        return [s for s in LIMBS[limb] if all(self.joints[i].isfinite().all() for i in BONES[s])]

    def _mask(self, limb: str) -> Mask:
        """The limb's pixels."""
        numbers = [PART_INDEX[name] for name in LIMBS[limb]]
        result: Mask = np.isin(self.labels, numbers) & self.solid
        return result

    def _root(self, limb: str) -> tuple[float, Section] | None:
        """Distance from its inner joint, along its bones, at which a limb comes out of what covers
        it, and its section there."""
        mask = self._mask(limb)
        sections, walked = [], 0.0
        for name in self._segments(limb):
            start, end = (self.joints[i] for i in BONES[name])
            length = float((end - start).norm())
            along = (end - start) / length
            for distance in np.arange(0.0, length, 1.0):
                section = section_of(mask, start + float(distance) * along, along, self.height)
                if section is not None:
                    sections.append((walked + float(distance), section))
            walked += length
        if not sections:
            return None
        # The first section that is about as wide as the limb without its hand.
        widths = sorted(section.radius for _, section in sections)
        usual = widths[int(SETTINGS.usual_width * len(widths))]
        return next(item for item in sections if item[1].radius >= 0.8 * usual)

    def _embed_joints(self) -> None:
        """Moves shoulders and hips at the figure's edge to where there is room for the limb to turn
        about them."""
        for limb, segments in LIMBS.items():
            mask = self._mask(limb)
            if not mask.any() or not self._segments(limb):
                continue
            radius = half_width(mask)
            index = BONES[segments[0]][0]
            x, y = self.joints[index].tolist()
            rows, columns = np.nonzero(self.depth >= min(0.9 * radius, self.depth.max()))
            away = np.hypot(columns + 0.5 - x, rows + 0.5 - y)
            nearest = int(np.argmin(away))
            if 1 < away[nearest] < 2 * radius:
                place = [columns[nearest] + 0.5, rows[nearest] + 0.5]
                self.joints[index] = torch.tensor(place, dtype=torch.float32)

    def _centre_joints(self) -> None:
        """Moves elbows and knees to the middle of their limb, and finds its radius there."""
        self.radius: dict[str, float] = {}
        for limb, (inner, outer) in LIMBS.items():
            if len(self._segments(limb)) < 2:
                continue
            a, b, c = (self.joints[i] for i in (*BONES[inner], BONES[outer][1]))
            along = F.normalize(F.normalize(b - a, dim=0) + F.normalize(c - b, dim=0), dim=0)
            if float(along.norm()) < 0.5:
                along = F.normalize(c - b, dim=0)
            mask = self._mask(limb)
            if not mask.any():
                continue
            section = section_of(mask, b, along, self.height)
            if section is None:
                section = section_of(
                    mask, deepest_near(mask, b, 0.03 * self.height), along, self.height
                )
            if section is None:
                continue
            self.radius[limb] = section.radius
            # The middle of a section much wider than a limb is not the limb's.
            if float((section.middle - b).norm()) <= SETTINGS.off_middle * self.height:
                self.joints[BONES[inner][1]] = section.middle

    # Layers -------------------------------------------------------------------------------------

    def _alike(self, part: int) -> Tensor:
        """1 for pixels `[h w]` of a part's limb and for those of its colours, 0 for others, which
        belong to something else beside it."""
        group = LIMB_OF_PART[part]
        unlike = self.outlines.unlike.get(group)
        if unlike is None:
            return torch.ones_like(self.alpha)
        return torch.from_numpy(~unlike | (np.array(LIMB_OF_PART)[self.labels] == group)).float()

    def _disc(self, centre: Tensor, radius: float) -> Tensor:
        result: Tensor = (radius - (self.points - centre).norm(dim=-1) + 0.5).clamp(0, 1)
        return result

    def _capsule(self, ends: Tensor, radius: float) -> Tensor:
        """Pixels `[h w]` within `radius` of the line between `ends [2 2]`."""
        way = ends[1] - ends[0]
        share = ((self.points - ends[0]) @ way / (way @ way).clamp_min(1e-6)).clamp(0, 1)
        away = (self.points - ends[0] - share[..., None] * way).norm(dim=-1)
        result: Tensor = (radius - away + 0.5).clamp(0, 1)
        return result

    def _ball(self, limb: str, root: Section) -> float:
        """Radius of a shoulder or a hip: as much as the figure has room for there, but about that
        of the limb."""
        x, y = self.joints[BONES[LIMBS[limb][0]][0]].floor().long()
        inside = 0 <= y < self.labels.shape[0] and 0 <= x < self.labels.shape[1]
        radius = max(root.radius, self.radius.get(limb, 0.0))
        depth = float(self.depth[y, x]) if inside else 0.0
        return min(max(depth, radius), SETTINGS.largest_ball * radius)

    def _cap(self, part: int) -> Tensor:
        """Round ends `[h w]` of the upper one of two parts, at the joint between them, of the
        picture's own pixels."""
        cap = torch.zeros_like(self.alpha)
        torso, rank = PART_INDEX["torso"], self.order.index
        for limb, (inner, outer) in LIMBS.items():
            root, upper, lower = self.roots[limb], PART_INDEX[inner], PART_INDEX[outer]
            if root is None:
                continue
            pairs = [(upper, torso, self.joints[BONES[inner][0]], self._ball(limb, root[1]))]
            if limb in self.radius:
                joint = self.joints[BONES[inner][1]]
                pairs.append((upper, lower, joint, self.radius[limb]))
            for first, second, joint, size in pairs:
                if part not in (first, second):
                    continue
                other = second if part == first else first
                if rank(part) > rank(other):
                    disc = self._disc(joint, size)
                    if part == upper and other == torso:
                        # A limb in front that begins under a sleeve or a skirt takes it along.
                        way = torch.stack([joint, root[1].middle])
                        disc = self._capsule(way, root[1].radius)
                    disc = disc * self.shares[other]
                    if part == torso:
                        # A limb's outline turns with the limb, and so does all that is no sleeve.
                        lines = torch.from_numpy(self.outlines.lines)
                        disc = disc * ~lines * self._alike(torso)
                    cap = torch.maximum(cap, disc)
        return cap

    def _hidden(self, part: int, covered: Tensor) -> Tensor:
        """The portion of a part that lies under those above it, premultiplied `[4 h w]`."""
        own = (self.labels == part) & self.solid
        if not own.any() and PARTS[part] in ("torso", "head"):
            return torch.zeros_like(self.colours)
        room = covered * self.interior
        name = PARTS[part]
        rim = ndimage.binary_dilation(own, np.ones((3, 3)), iterations=SETTINGS.seam)
        if name == "torso":
            head = self.labels == PART_INDEX["head"]
            shape = closed(own, SETTINGS.closing * self.height) | (hull(own) & head) | rim
            shape |= self._behind_limbs(own)
            return self._filled(own, shape) * room
        limb = next((k for k, v in LIMBS.items() if name in v), None)
        if limb is None or (root := self.roots[limb]) is None:
            return self._filled(own, rim) * room
        # Outlines that a limb shares with the trunk are seen on both.
        shared = self.outlines.beside.get(
            LIMB_OF_PART[part], np.zeros_like(own)
        ) & ndimage.binary_dilation(
            own, np.ones((3, 3)), iterations=round(OUTLINES.widest * self.height)
        )
        hidden = self.colours * _softened(torch.from_numpy(shared | own).float())
        below = self.order.index(part) < self.order.index(PART_INDEX["torso"])
        if below and name in self._segments(limb):
            hidden = _over(hidden, self._extended(name, limb, root))
        shape = closed(own, 0.5 * root[1].radius) | rim
        if below and name == LIMBS[limb][0] and name in self._segments(limb):
            # A round end, which turns out of the trunk when the limb turns.
            ball = self._disc(self.joints[BONES[name][0]], self._ball(limb, root[1]))
            shape |= (ball.numpy() > 0.5) & (self.labels == PART_INDEX["torso"])
        return _over(hidden, self._filled(own, shape)) * room

    def _behind_limbs(self, trunk: Mask) -> Mask:
        """The trunk's pixels `[h w]` under limbs in front of it: a belly, a skirt, a cape."""
        torso = self.order.index(PART_INDEX["torso"])
        limbs = np.zeros_like(trunk)
        for names in LIMBS.values():
            inner, outer = (PART_INDEX[name] for name in names)
            if self.order.index(inner) > torso:
                limbs |= np.isin(self.labels, (inner, outer)) & self.solid
        return closed(trunk, SETTINGS.behind_limb * self.height) & limbs

    def _filled(self, own: Mask, shape: Mask) -> Tensor:
        """A part's own colours continued over `shape`, premultiplied `[4 h w]`."""
        # Only what touches the part: a limb beside it, beyond a gap of air, hides nothing of it.
        pieces, count = ndimage.label((shape & self.solid) | own)
        touching = np.zeros(count + 1, np.bool_)
        touching[np.unique(pieces[own])] = True
        touching[0] = False
        shape = touching[pieces]
        if not (shape & ~own).any():
            return torch.zeros_like(self.colours)
        # Pixels at the part's edge are mixed with those beside it, or are outlines.
        known = (ndimage.distance_transform_edt(own) > 2) & ~self.outlines.lines
        if not known.any():
            known = own
        # Only around the shape: on the whole picture this is slow.
        rows, columns = (np.flatnonzero((shape & ~own).any(axis=axis)) for axis in (1, 0))
        margin = SETTINGS.window
        window = tuple(
            slice(max(0, int(n[0]) - margin), int(n[-1]) + 1 + margin) for n in (rows, columns)
        )
        if not known[window].any():
            window = (slice(None), slice(None))
        alpha = _softened(torch.from_numpy(shape).float())
        result = torch.zeros_like(self.colours)
        inside = (slice(None), *window)
        result[:3][inside] = continued(self.straight[inside], known[window]) * alpha[window]
        result[3][window] = alpha[window]
        return result

    def _extended(self, name: str, limb: str, root: tuple[float, Section]) -> Tensor:
        """A segment continued from its limb's root to the segment's inner joint, where the trunk
        covers it: the colours across the root, drawn out along the bone."""
        distance, section = root
        start, end = (self.joints[i] for i in BONES[name])
        length = float((end - start).norm())
        if name == LIMBS[limb][1]:
            inner = BONES[LIMBS[limb][0]]
            distance -= float((self.joints[inner[1]] - self.joints[inner[0]]).norm())
        if distance < 0:
            return torch.zeros_like(self.colours)
        bone = (end - start) / max(length, 1e-6)
        relative = self.points - start
        s = relative @ bone
        t = relative @ torch.stack([-bone[1], bone[0]])
        # Across the limb, the middle of the section is the middle of the extension at the root.
        across = torch.stack([-section.along[1], section.along[0]])
        offset = (section.middle - start) @ torch.stack([-bone[1], bone[0]])
        share = (s / max(distance, 1.0)).clamp(0, 1) if distance <= length else torch.ones_like(s)
        t = t - offset * share
        source = (
            section.middle + section.along * max(3.0, 0.25 * section.radius) + t[..., None] * across
        )
        size = torch.tensor([self.labels.shape[1], self.labels.shape[0]])
        shares = self.shares[[PART_INDEX[n] for n in LIMBS[limb]]].sum(dim=0)
        pixels = (self.colours * shares)[None]
        grid = (2 * source / size - 1)[None]
        drawn = F.grid_sample(pixels, grid, align_corners=False)[0]
        cap = (section.radius + 1 - torch.hypot(s.clamp_max(0), t) + 0.5).clamp(0, 1)
        # The border of the part that covers the limb may be askew.
        reach = min(distance + section.radius + 2, length + section.radius)
        body = ((s > -section.radius) & (s <= reach) & (t.abs() <= section.radius + 3)).float()
        cap = torch.where(s < 0, cap, torch.ones_like(cap))
        return drawn * cap * body


def _over(upper: Tensor, lower: Tensor) -> Tensor:
    """Premultiplied pixels `[4 h w]` over others."""
    return upper + (1 - upper[3:]) * lower


def _softened(mask: Tensor) -> Tensor:
    """`mask [h w]` with edges three pixels wide."""
    return F.avg_pool2d(mask[None], 3, 1, 1, count_include_pad=False)[0]
