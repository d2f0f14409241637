#version 330
// A vertex: where it is, its normal, its place on the average body, its material.
uniform mat4 view, lamp;
in vec3 position, normal, rest;
in vec2 material;  // id, how much it is lip
out vec3 place, facing, at;
out vec2 stuff;
out vec4 lit;

void main() {
  place = position;
  facing = normal;
  at = rest;
  stuff = material;
  lit = lamp * vec4(position, 1.);
  gl_Position = view * vec4(position, 1.);
}
