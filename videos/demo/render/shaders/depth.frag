#version 330
in vec3 at;
in vec2 stuff;
//--cloth

void main() {
  int id = int(stuff.x + .5);
  if (is_cut(id, at) || id == 11) discard;  // walls let the sun in
}
