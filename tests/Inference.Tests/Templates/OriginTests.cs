namespace OpenEuroLLM.Inference.Tests;

public sealed class OriginTests
{
    [Theory]
    [InlineData("{{ x }}", "")]
    [InlineData("a{{ x }}b", "a|b")]
    [InlineData("{{ '<' ~ x ~ '>' }}", "<|>")]
    [InlineData("{{ '<' + x + '>' }}", "<|>")]
    [InlineData("{{ (' <' + x + '> ').strip() }}", "<|>")]
    [InlineData("{{ (' <' + x + '> ') | trim }}", "<|>")]
    [InlineData("{{ ('a' + x).replace('d', '#') }}", "a|#")]
    [InlineData("{{ x.replace('data', y) }}", "")]
    [InlineData("{{ 'a-b'.replace('-', x) }}", "a|b")]
    [InlineData("{{ ('a,' + x + ',b').split(',') | join('+') }}", "a+|+b")]
    [InlineData("{{ ('a' + x)[::-1] }}", "a")]
    [InlineData("{{ ('a' + x)[0] }}{{ ('a' + x)[1:] }}", "a")]
    [InlineData("{{ ('ä' + x) | upper }}", "Ä")]
    [InlineData("{{ ('ß' + x + 'ß').upper() }}", "SS|SS")]
    [InlineData("{{ ('%s|%s' | format('a', x)) }}", "a|")]
    [InlineData("{{ '{}-{}'.format(x, 'b') }}", "-b")]
    [InlineData("{{ {'k': x} | tojson }}", "{\"k\": \"|\"}")]
    [InlineData("{{ {'k': x} }}", "{'k': '|'}")]
    [InlineData("{% set b %}a{{ x }}{% endset %}{{ b }}", "a")]
    [InlineData("{% macro m(v) %}[{{ v }}]{% endmacro %}{{ m(x) ~ m('c') }}", "[|][c]")]
    [InlineData("{{ m.k }}{{ m['k'] }}", "")]
    [InlineData("{% for k, v in m.items() %}{{ k }}:{{ v }}{% endfor %}", ":")]
    [InlineData("{{ [x, 'a'] | join(',') }}", ",a")]
    [InlineData("{{ x | default('d') }}{{ z | default('d') }}", "d")]
    [InlineData("{{ (x ~ '\\n' ~ 'b') | indent(2) }}", "\n|  |b")]
    [InlineData("{{ x * 2 }}{{ 'q' * 2 }}", "qq")]
    public void What_the_template_wrote_is_trusted_and_what_it_was_given_is_not(string template, string trusted)
    {
        var data = new TemplateMap();
        data.SetData("k", TemplateText.Data("v"));
        var text = new Template(template).Render([new("x", TemplateText.Data("data")), new("y", TemplateText.Data("more")), new("m", data)], TemplateFiles.Clock);
        // The borders inside of trusted text are of no interest; '|' stands for data between.
        Assert.Equal(trusted.Replace("|", "", StringComparison.Ordinal), string.Concat(text.Stretches().Where(part => part.Trusted).Select(part => text.Value[part.Start..part.End])).Replace("|", "", StringComparison.Ordinal));
        Assert.Equal(text.Value, string.Concat(text.Stretches().Select(part => text.Value[part.Start..part.End])));
    }
}
