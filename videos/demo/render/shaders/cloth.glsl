// What covers the body where. `t` is a place on the average body at rest (metres):
// x to the left, y to the back, z up.
uniform float sleeve, legs, style;

float hash(vec3 p) {
  p = fract(p * .3183099 + .1) * 17.;
  return fract(p.x * p.y * p.z * (p.x + p.y + p.z));
}

float noise(vec3 x) {
  vec3 i = floor(x), f = fract(x);
  f = f * f * (3. - 2. * f);
  return mix(
      mix(mix(hash(i), hash(i + vec3(1, 0, 0)), f.x),
          mix(hash(i + vec3(0, 1, 0)), hash(i + vec3(1, 1, 0)), f.x), f.y),
      mix(mix(hash(i + vec3(0, 0, 1)), hash(i + vec3(1, 0, 1)), f.x),
          mix(hash(i + vec3(0, 1, 1)), hash(i + vec3(1, 1, 1)), f.x), f.y),
      f.z);
}

float cloud(vec3 p) {
  return .53 * noise(p) + .27 * noise(p * 2.1) + .14 * noise(p * 4.3);
}

int cloth(vec3 t) {  // 0 skin, 1 top, 2 bottom, 3 shoe
  float x = abs(t.x);
  bool arm = x > .19 && t.z > -.12 && x + .35 * t.z > .26;
  if (t.z < -.775) return 3;
  if (arm) return x < sleeve ? 1 : 0;
  if (t.z < .045) return t.z > legs ? 2 : 0;
  return t.z < .470 + .35 * t.y + 1.4 * max(0., x - .055) ? 1 : 0;
}

bool is_cut(int id, vec3 t) {  // parts of the mesh that this person does not wear
  if (id == 1) return cloth(t) == 0;
  if (id != 2) return false;
  if (style < .5 || t.z < (style < 1.5 ? .40 : .52)) return true;
  return t.y < -.035 && t.z < .698 - 1.2 * t.x * t.x && t.z > .3;  // the face
}
