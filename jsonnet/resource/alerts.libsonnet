// What the resource exporter's series say that somebody should know.
function(config, signals) []
