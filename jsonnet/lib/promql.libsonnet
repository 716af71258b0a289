// Small functions on the text of PromQL.
{
  // The labels as PromQL lists them.
  list(labels):: std.join(', ', labels),

  // A text moved to the right, line by line.
  indent(text, by='  ')::
    local lines = std.split(std.rstripChars(text, '\n'), '\n');
    std.join('\n', [if line == '' then line else by + line for line in lines]),

  // An aggregation, with what it aggregates on lines of its own.
  aggregate(operator, labels, expr)::
    '%s by (%s) (\n%s\n)' % [operator, self.list(labels), self.indent(expr)],

  // Two sides of an operation, each on lines of its own. The first is not moved to the
  // right: YAML would take that for the whole text's indentation.
  binary(left, operator, right)::
    '%s\n%s\n%s' % [left, operator, self.indent(right)],

  // A selector of label matchers; empty ones fall out.
  selector(matchers)::
    '{%s}' % std.join(', ', [m for m in matchers if m != '']),
}
