// Places panels in a grid of 24 columns, from left to right, each row of the dashboard
// below the one before.
{
  local flow(panels, top) = std.foldl(
    function(at, panel)
      local fits = at.x + panel.w <= 24;
      local x = if fits then at.x else 0;
      local y = if fits then at.y else at.y + at.h;
      {
        x: x + panel.w,
        y: y,
        h: if fits then std.max(at.h, panel.h) else panel.h,
        placed: at.placed + [panel { x: x, y: y }],
      },
    panels,
    { x: 0, y: top, h: 0, placed: [] }
  ),

  // The panels of a row, with x and y; top is where the row begins.
  place(panels, top=0):: flow(panels, top).placed,
  // How high they are together.
  height(panels):: local end = flow(panels, 0); end.y + end.h,
}
