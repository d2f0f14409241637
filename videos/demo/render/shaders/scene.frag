#version 330
in vec3 place, facing, at;
in vec2 stuff;
in vec4 lit;
out vec4 colour;
uniform vec3 skin, hair, top, top2, bottom, shoe;
uniform vec3 sun, suncol, skycol, eye;
uniform vec3 wallA, wallB, floorA, floorB, wood, fabric;
uniform vec2 person_xy;
uniform float pattern, beard, walltype, floortype;
uniform sampler2D shadows;
//--cloth

// How a surface shines: albedo, strength and sharpness of the highlight, soft light.
struct Surface { vec3 a; float shine, sharp, wrap; };

vec3 dye(vec3 t) {  // the top's pattern
  bool second = false;
  if (pattern > 3.5) second = t.y < 0. && length((t.xz - vec2(0., .30)) * vec2(1., .8)) < .062;
  else if (pattern > 2.5) second = fract(t.z * 11.) < .5 ^^ fract(t.x * 11.) < .5;
  else if (pattern > 1.5) second = fract(t.x * 22.) < .3;
  else if (pattern > .5) second = fract(t.z * 14.) > .5;
  return second ? top2 : top;
}

vec3 wear(int kind, vec3 t, inout vec3 n) {
  vec3 a;
  if (kind == 1) a = dye(t);
  else if (kind == 2) {
    a = t.z > .022 ? bottom * .5 : bottom;  // the belt
    a *= .92 + .12 * step(.5, fract((t.z + t.x) * 400.));
  } else {
    a = t.z < -.845 ? vec3(.88) : shoe;  // the sole, the laces
    if (t.y < -.08 && t.z > -.83) a = mix(a, vec3(.9), .35 * step(.5, fract(t.y * 45.)));
  }
  vec3 p = t * 15.;
  vec3 folds = vec3(noise(p), noise(p + 7.), noise(p + 13.)) - .5;
  if (kind < 3) n = normalize(n - .55 * folds);
  return a * (.86 + .28 * cloud(t * vec3(9, 9, 5) + 3.)) * (.95 + .1 * noise(t * 220.));
}

vec3 flesh(vec3 t) {
  float x = abs(t.x), front = step(t.y, -.05) * step(.5, t.z);
  vec3 a = skin * (.90 + .22 * cloud(t * 45.));
  float cheek = smoothstep(.035, .0, length(vec2(x - .042, t.z - .605)));
  a = mix(a, a * vec3(1.12, .80, .76), front * .55 * cheek);
  if (beard > .5 && t.y < -.02 && t.z > .515 && t.z < .588 + 1.1 * max(0., x - .028))
    a = mix(a, hair * (.7 + .6 * cloud(t * 160.)), .85);
  a = mix(a, skin * vec3(.86, .50, .50), .75 * smoothstep(.25, .8, stuff.y));  // lips
  float brow = .0205 + .006 * (1. - pow((x - .032) / .022, 2.));
  if (front > .5 && x > .011 && x < .056 && abs(t.z - .651 - brow) < .0038)
    a = mix(a, hair * .7, .8);
  float line = t.y < -.03 ? .704 - 2.2 * t.x * t.x : t.y < -.012 ? .63 : .585;
  line += .012 * (noise(t * vec3(260., 260., 60.)) - .5);
  if (t.z > line) a = hair * (.7 + .6 * cloud(t * vec3(160., 160., 40.)));
  return a;
}

vec3 eyeball(vec3 t) {
  float r = length(vec2(abs(t.x) - .0305, t.z - .651));
  if (t.y > -.10) return vec3(.8);
  return r < .0028 ? vec3(.02) : r < .0068 ? vec3(.16, .10, .06) : vec3(.82, .80, .78);
}

Surface body(int id, vec3 t, inout vec3 n) {
  int kind = cloth(t);
  if (id == 1 || (id == 0 && kind > 0)) return Surface(wear(kind, t, n), 0., 20., 0.);
  if (id == 0) return Surface(flesh(t), .18, 18., .25);
  if (id == 3) return Surface(eyeball(t), .5, 60., 0.);
  if (id == 4) return Surface(hair * .3, 0., 20., 0.);
  vec3 strand = t * vec3(120, 60, 20);
  n = normalize(n + .5 * vec3(noise(strand) - .5, noise(strand + 9.) - .5, 0));
  return Surface(hair * (.75 + .6 * cloud(t * vec3(160., 60., 14.))), .15, 12., 0.);
}

Surface ground(vec3 p) {
  if (floortype < .5) {  // planks
    float row = floor(p.y * 7.);
    float plank = hash(vec3(row, floor(p.x * .8 + row * .37), 1.));
    vec3 a = mix(floorA, floorB, plank) * (.85 + .3 * cloud(vec3(p.x * 6., p.y * 60., 0)));
    return Surface(fract(p.y * 7.) < .03 ? a * .5 : a, .12, 30., 0.);
  }
  if (floortype < 1.5) {  // tiles
    vec2 q = fract(p.xy * 2.2);
    vec3 a = mix(floorA, floorB, .6 * hash(vec3(floor(p.xy * 2.2), 3.)));
    a *= .9 + .2 * cloud(p * 14.);
    return Surface(q.x < .02 || q.y < .02 ? a * .6 : a, .15, 40., 0.);
  }
  vec3 grass = mix(floorA, floorB, cloud(p * 3.)) * (.6 + .8 * cloud(p * vec3(60., 60., 1.)));
  return Surface(grass, 0., 20., 0.);
}

vec3 bricks(vec2 q, vec3 p) {
  float row = floor(q.y * 12.), x = q.x * 4.5 + .5 * mod(row, 2.);
  vec2 b = fract(vec2(x, q.y * 12.));
  if (b.x < .05 || b.y < .12) return vec3(.55, .53, .5);
  return mix(wallA, wallB, hash(vec3(floor(x), row, 2.))) * (.75 + .4 * cloud(p * 40.));
}

vec3 sky(vec2 q) {
  vec3 blue = mix(vec3(.80, .87, .95), vec3(.42, .62, .90), clamp((q.y - 1.) / 5., 0., 1.));
  return blue + .25 * smoothstep(.45, .75, cloud(vec3(q * .35, 1.)));
}

vec3 wall(vec2 q, vec3 p) {
  if (walltype < 2.5 && q.y < .10) return vec3(.85, .84, .80);  // the skirting board
  if (walltype < .5) return wallA * (.93 + .1 * cloud(p * 30.));
  if (walltype < 1.5)
    return mix(wallA, wallB, step(.5, fract(q.x * 3.5))) * (.95 + .08 * cloud(p * 20.));
  if (walltype < 2.5) return bricks(q, p);
  return mix(wallA, wallB, cloud(p * 2.5)) * (.35 + 1.1 * cloud(p * 18.));  // a hedge
}

vec3 furniture(int id, vec3 p) {
  if (id == 12) return wood * (.85 + .25 * cloud(p * vec3(8., 40., 40.)));
  if (id == 13) return vec3(.80, .78, .74);
  if (id == 14)
    return mix(vec3(.75, .45, .25), vec3(.2, .35, .5), smoothstep(.35, .6, cloud(p * 4.)));
  if (id == 17) return fabric * (.85 + .25 * cloud(p * 70.));
  return mix(vec3(.10, .28, .09), vec3(.25, .45, .15), cloud(p * 25.));
}

float see_sun() {  // share of the lamp that no other surface hides
  vec3 l = lit.xyz / lit.w * .5 + .5;
  if (any(greaterThan(abs(l - .5), vec3(.499)))) return 1.;
  float seen = 0.;
  for (int i = -1; i <= 1; i++)
    for (int j = -1; j <= 1; j++)
      seen += l.z - .0035 > texture(shadows, l.xy + vec2(i, j) * .0022).r ? 0. : 1.;
  return seen / 9.;
}

void main() {
  int id = int(stuff.x + .5);
  if (is_cut(id, at)) discard;
  vec3 n = normalize(facing), v = normalize(eye - place);
  vec2 q = abs(n.x) > .5 ? place.yz : place.xz;
  if (id == 15) { colour = vec4(pow(vec3(.89, .94, .98), vec3(1. / 1.9)), 1.); return; }
  if (id == 11 && walltype > 2.5) {
    float hedge = 1.5 + .5 * cloud(vec3(q.x * 3., 0, 0)) + .25 * noise(place * 9.);
    if (q.y > hedge) { colour = vec4(sky(q), 1.); return; }
  }
  bool of_body = id < 10;
  if (of_body && dot(n, v) < 0.) n = -n;
  Surface s = of_body ? body(id, at, n) : id == 10 ? ground(place)
      : Surface(id == 11 ? wall(q, place) : furniture(id, place), 0., 20., 0.);
  float seen = see_sun();
  float toward = max(0., (dot(n, sun) + s.wrap) / (1. + s.wrap));
  vec2 from = place.xy - person_xy;
  float open = of_body ? .75 + .25 * smoothstep(0., .6, place.z)
                       : 1. - .45 * exp(-6. * dot(from, from)) * step(place.z, .02);
  vec3 ambient = mix(vec3(.42, .38, .34), skycol, .5 + .5 * n.z) * open;
  vec3 c = s.a * (ambient * .75 + suncol * toward * mix(.25, 1., seen));
  if (id == 0) c += s.a * .10 * vec3(1., .35, .2) * (1. - toward) * seen;
  c += suncol * s.shine * pow(max(0., dot(n, normalize(sun + v))), s.sharp) * seen;
  c = c / (1. + .25 * c);
  colour = vec4(pow(clamp(c, 0., 1.), vec3(1. / 1.9)), 1.);
}
