// Dashboards by uid in a form in which those of another folder with the same uid are
// added to, not replaced.
function(dashboards) { [uid]+: dashboards[uid] for uid in std.objectFields(dashboards) }
