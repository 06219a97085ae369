"use strict";
// A 3D view on a plain canvas: it draws what `drawing.py` wrote, far to near.

const HOME = { yaw: 0.55, pitch: 0.42, zoom: 0 }; // zoom 0: until all fits
const EYE = 3.2; // distance of the eye in radii of the drawing

class View3D {
  constructor(canvas, drawing, images) {
    this.canvas = canvas;
    this.drawing = drawing;
    this.images = images;
    this.cloud = unpackCloud(drawing.cloud);
    Object.assign(this, HOME);
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
    images.forEach((image) => image.decode().then(() => this.draw(), () => {}));
    canvas.addEventListener("pointerdown", (event) => this.drag(event));
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  drag(start) {
    this.canvas.setPointerCapture(start.pointerId);
    let [x, y] = [start.clientX, start.clientY];
    const move = (event) => {
      this.turn((event.clientX - x) * 0.008, (event.clientY - y) * 0.008);
      [x, y] = [event.clientX, event.clientY];
    };
    const end = () => {
      this.canvas.removeEventListener("pointermove", move);
      this.canvas.removeEventListener("pointerup", end);
      this.canvas.removeEventListener("pointercancel", end);
    };
    this.canvas.addEventListener("pointermove", move);
    this.canvas.addEventListener("pointerup", end);
    this.canvas.addEventListener("pointercancel", end);
  }

  key(event) {
    const step = 0.1;
    const turns = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, -step], ArrowDown: [0, step] };
    const tools = { "+": "closer", "=": "closer", "-": "farther", 0: "reset" };
    if (turns[event.key]) this.turn(...turns[event.key]);
    else if (tools[event.key]) this.use(tools[event.key]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  turn(yaw, pitch) {
    this.yaw += yaw;
    this.pitch = Math.max(-1.5, Math.min(1.5, this.pitch + pitch));
    this.draw();
  }

  use(tool) {
    if (tool === "reset") Object.assign(this, HOME);
    else this.zoom = Math.max(0.3, Math.min(8, this.zoom * (tool === "closer" ? 1.3 : 1 / 1.3)));
    this.draw();
  }

  // Right and down in pixels of the canvas, and the distance in front of the eye.
  project([x, y, z]) {
    const [c, s] = [Math.cos(this.yaw), Math.sin(this.yaw)];
    const [cp, sp] = [Math.cos(this.pitch), Math.sin(this.pitch)];
    const right = c * x - s * y;
    const ahead = s * x + c * y;
    const depth = cp * ahead - sp * z + EYE;
    const up = sp * ahead + cp * z;
    const scale = (this.focal * this.zoom) / Math.max(depth, 0.05);
    return [this.width / 2 + right * scale, this.height / 2 - up * scale, depth];
  }

  draw() {
    const ratio = window.devicePixelRatio || 1;
    this.width = this.canvas.clientWidth;
    this.height = this.canvas.clientHeight;
    if (!this.width) return;
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    this.focal = 1.5 * Math.min(this.width, this.height);
    const style = getComputedStyle(document.documentElement);
    const value = (name) => style.getPropertyValue(`--${name}`).trim();
    this.theme = { text: value("text"), stage: value("stage"), line: value("line") };
    this.zoom ||= this.fittingZoom();
    const pen = this.canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, this.width, this.height);
    pen.lineJoin = pen.lineCap = "round";
    this.labels = [];
    this.drawCloud(pen);
    for (const line of this.drawing.lines) this.drawLine(pen, line);
    const cameras = this.drawing.cameras.map((camera) => ({ ...camera, at: camera.points.map((p) => this.project(p)) }));
    cameras.sort((a, b) => b.at[0][2] - a.at[0][2]);
    for (const camera of cameras) this.drawCamera(pen, camera, ratio);
    for (const arrow of this.drawing.arrows) this.drawArrow(pen, arrow);
    for (const dot of this.drawing.dots) this.drawDot(pen, dot);
    this.taken = [];
    const plates = this.labels.filter((label) => label.plate);
    for (const { at } of plates) this.taken.push({ x: at[0] - 9, y: at[1], width: 18 });
    for (const label of this.labels) if (!label.plate) this.drawText(pen, label);
    for (const label of plates) this.drawPlate(pen, label);
  }

  // Where nothing shows the ground, a grid below the drawing tells how the view is turned.
  drawGrid(pen) {
    const { cameras, lines, dots } = this.drawing;
    const low = Math.min(...[...cameras, ...lines, ...dots].flatMap(({ points }) => points.map((p) => p[2]))) - 0.05;
    pen.strokeStyle = this.theme.line;
    pen.lineWidth = 1;
    for (let k = -5; k <= 5; k++) {
      for (const ends of [[[k / 5, -1, low], [k / 5, 1, low]], [[-1, k / 5, low], [1, k / 5, low]]]) {
        this.trace(pen, ends.map((p) => this.project(p)));
        pen.stroke();
      }
    }
  }

  // At which everything but the cloud is inside the canvas.
  fittingZoom() {
    this.zoom = 1;
    const { cameras, lines, arrows, dots } = this.drawing;
    const ends = [...cameras, ...lines, ...arrows, ...dots].flatMap(({ points }) => points.map((p) => this.project(p)));
    const reach = (axis, size) => (size / 2 - 34) / Math.max(...ends.map((at) => Math.abs(at[axis] - size / 2)));
    return Math.max(0.5, Math.min(2.5, reach(0, this.width), reach(1, this.height)));
  }

  color(name) {
    return this.theme[name] || name;
  }

  drawCloud(pen) {
    if (!this.cloud) return this.drawGrid(pen);
    const { xyz, rgb } = this.cloud;
    const points = [];
    for (let i = 0; i < xyz.length; i += 3) {
      const [u, v, depth] = this.project([xyz[i], xyz[i + 1], xyz[i + 2]]);
      if (depth > 0.1) points.push([depth, u, v, i]);
    }
    points.sort((a, b) => b[0] - a[0]);
    pen.globalAlpha = 0.8;
    for (const [depth, u, v, i] of points) {
      const size = Math.max(1.2, Math.min(6, (this.focal * this.zoom * 0.012) / depth));
      pen.fillStyle = `rgb(${rgb[i]},${rgb[i + 1]},${rgb[i + 2]})`;
      pen.fillRect(u - size / 2, v - size / 2, size, size);
    }
    pen.globalAlpha = 1;
  }

  trace(pen, points) {
    pen.beginPath();
    points.forEach(([u, v], i) => (i ? pen.lineTo(u, v) : pen.moveTo(u, v)));
  }

  drawLine(pen, { points, color, dash }) {
    this.trace(pen, points.map((p) => this.project(p)));
    pen.setLineDash(dash ? [5, 4] : []);
    pen.strokeStyle = this.color(color);
    pen.lineWidth = 1.5;
    pen.stroke();
    pen.setLineDash([]);
  }

  drawCamera(pen, { image, at, color, right }, ratio) {
    const [eye, ...corners] = at;
    if (at.some((p) => p[2] < 0.1)) return;
    const picture = this.images[image - 1];
    if (picture && picture.complete && picture.naturalWidth) {
      const [w, h] = [picture.naturalWidth, picture.naturalHeight];
      pen.globalAlpha = 0.85;
      this.paint(pen, picture, [[0, 0], [w, 0], [w, h]], [corners[0], corners[1], corners[2]], ratio);
      this.paint(pen, picture, [[0, 0], [w, h], [0, h]], [corners[0], corners[2], corners[3]], ratio);
      pen.globalAlpha = 1;
    }
    pen.strokeStyle = color;
    pen.lineWidth = right ? 3.5 : 1.75;
    this.trace(pen, [...corners, corners[0]]);
    pen.stroke();
    for (const corner of corners) {
      this.trace(pen, [eye, corner]);
      pen.stroke();
    }
    this.labels.push({ at: eye, text: `${image}`, color, plate: true });
  }

  // One triangle of the picture by the affine map that takes its corners to the screen.
  paint(pen, picture, from, to, ratio) {
    const [[x0, y0], [x1, y1], [x2, y2]] = from;
    const [[u0, v0], [u1, v1], [u2, v2]] = to;
    const area = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0);
    const solve = (a, b, c) => [
      ((b - a) * (y2 - y0) - (c - a) * (y1 - y0)) / area,
      ((c - a) * (x1 - x0) - (b - a) * (x2 - x0)) / area,
    ];
    const [a, c] = solve(u0, u1, u2);
    const [b, d] = solve(v0, v1, v2);
    pen.save();
    this.trace(pen, to);
    pen.closePath();
    pen.clip();
    pen.transform(a, b, c, d, u0 - a * x0 - c * y0, v0 - b * x0 - d * y0);
    pen.drawImage(picture, 0, 0);
    pen.restore();
  }

  drawArrow(pen, { points, color, label, right }) {
    const [tail, head] = points.map((p) => this.project(p));
    const angle = Math.atan2(head[1] - tail[1], head[0] - tail[0]);
    const length = Math.hypot(head[1] - tail[1], head[0] - tail[0]);
    const tip = Math.min(right ? 15 : 11, length * 0.6);
    const neck = [head[0] - tip * 0.8 * Math.cos(angle), head[1] - tip * 0.8 * Math.sin(angle)];
    for (const [stroke, extra] of [[this.theme.stage, 3], [color, 0]]) {
      pen.strokeStyle = pen.fillStyle = stroke;
      pen.lineWidth = (right ? 5 : 3) + extra;
      this.trace(pen, [tail, neck]);
      pen.stroke();
      const wing = (turn) => [head[0] - tip * Math.cos(angle + turn), head[1] - tip * Math.sin(angle + turn)];
      this.trace(pen, [head, wing(0.5), wing(-0.5)]);
      pen.closePath();
      pen.lineWidth = 1 + extra;
      pen.stroke();
      pen.fill();
    }
    this.labels.push({ at: head, text: label, bold: right });
  }

  drawDot(pen, { points, color, label, right }) {
    const at = this.project(points[0]);
    pen.beginPath();
    pen.arc(at[0], at[1], right ? 8 : 6, 0, 7);
    pen.fillStyle = this.color(color);
    pen.fill();
    pen.lineWidth = 2;
    pen.strokeStyle = this.theme.stage;
    pen.stroke();
    this.labels.push({ at, text: label, bold: right });
  }

  drawPlate(pen, { at, text, color }) {
    pen.font = "700 12px system-ui, sans-serif";
    pen.textBaseline = "middle";
    pen.textAlign = "center";
    pen.fillStyle = color;
    pen.beginPath();
    pen.roundRect(at[0] - 9, at[1] - 9, 18, 18, 5);
    pen.fill();
    pen.fillStyle = "#fff";
    pen.fillText(text, at[0], at[1] + 0.5);
  }

  drawText(pen, { at, text, bold }) {
    pen.font = `${bold ? "700" : "500"} 12px system-ui, sans-serif`;
    pen.textBaseline = "middle";
    pen.textAlign = "left";
    pen.lineWidth = 4;
    const [x, y] = this.freePlace(at[0] + 11, at[1], pen.measureText(text).width);
    pen.strokeStyle = this.theme.stage;
    pen.strokeText(text, x, y);
    pen.fillStyle = this.theme.text;
    pen.fillText(text, x, y);
  }

  // The nearest place below or above that no other label has, inside the canvas.
  freePlace(x, y, width) {
    x = Math.max(4, Math.min(this.width - width - 4, x));
    const free = (row) => this.taken.every((t) => Math.abs(t.y - row) > 14 || x > t.x + t.width || t.x > x + width);
    const row = [0, 15, -15, 30, -30].map((step) => y + step).find(free) ?? y;
    this.taken.push({ x, y: row, width });
    return [x, row];
  }
}

function unpackCloud(cloud) {
  if (!cloud) return null;
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const data = new DataView(bytes(cloud.xyz).buffer);
  const xyz = new Float32Array(data.byteLength / 2);
  for (let i = 0; i < xyz.length; i++) xyz[i] = data.getInt16(2 * i, true) / 10000;
  return { xyz, rgb: bytes(cloud.rgb) };
}
