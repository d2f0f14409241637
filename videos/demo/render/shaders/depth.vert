#version 330
uniform mat4 view;
in vec3 position, rest;
in vec2 material;
out vec3 at;
out vec2 stuff;

void main() {
  at = rest;
  stuff = material;
  gl_Position = view * vec4(position, 1.);
}
