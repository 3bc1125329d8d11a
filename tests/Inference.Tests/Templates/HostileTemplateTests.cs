using System.Diagnostics;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Inference.Tests;

public sealed class HostileTemplateTests
{
    private static string Deep(string open, string middle, string close, int depth) =>
        string.Concat(Enumerable.Repeat(open, depth)) + middle + string.Concat(Enumerable.Repeat(close, depth));

    // Each takes too much, or reaches for something that is not there; all have to be refused.
    public static TheoryData<string, string> Refused
    {
        get
        {
            var cases = new TheoryData<string, string>();
            (string Name, string Template)[] all =
            [
                ("nested loops", "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}"),
                ("nested loops without output", "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"),
                ("huge range", "{{ range(1000000000000)|list }}"),
                ("huge negative range", "{{ range(0, -9223372036854775807, -1)|list }}"),
                ("widest range", "{{ range(-9223372036854775807, 9223372036854775807)|list }}"),
                ("range after range", "{% for i in range(100) %}{% set x = range(100000)|list %}{% endfor %}"),
                ("giant repeat", "{{ 'a' * 1000000000000 }}"),
                ("giant repeat backwards", "{{ 9223372036854775807 * 'ab' }}"),
                ("giant list", "{{ ([0] * 1000000000)|length }}"),
                ("doubling text", "{% set ns = namespace(x='aaaaaaaaaaaaaaaa') %}{% for i in range(64) %}{% set ns.x = ns.x + ns.x %}{% endfor %}"),
                ("doubling by concatenation", "{% set ns = namespace(x='aaaaaaaaaaaaaaaa') %}{% for i in range(64) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}"),
                ("doubling list", "{% set ns = namespace(x=[1]) %}{% for i in range(64) %}{% set ns.x = ns.x + ns.x %}{% endfor %}"),
                ("doubling by extend", "{% set l = [1] %}{% for i in range(64) %}{% set _ = l.extend(l) %}{% endfor %}"),
                ("replace bomb", "{% set ns = namespace(x='aa') %}{% for i in range(40) %}{% set ns.x = ns.x|replace('a', 'aaaaaaaa') %}{% endfor %}"),
                ("replace of nothing", "{% set ns = namespace(x='aa') %}{% for i in range(40) %}{% set ns.x = ns.x.replace('', 'aaaa') %}{% endfor %}"),
                ("join bomb", "{{ (range(100000)|list)|join('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa') }}"),
                ("join of joins", "{% set ns = namespace(x='aaaa') %}{% for i in range(40) %}{% set ns.x = ns.x.join(['b','b','b','b']) %}{% endfor %}"),
                ("format bomb", "{% set ns = namespace(x='aaaa') %}{% for i in range(40) %}{% set ns.x = '{0}{0}{0}{0}'.format(ns.x) %}{% endfor %}"),
                ("percent bomb", "{% set ns = namespace(x='aaaa') %}{% for i in range(40) %}{% set ns.x = '%s%s%s%s' % (ns.x, ns.x, ns.x, ns.x) %}{% endfor %}"),
                ("tojson bomb", "{% set ns = namespace(x='\"\"\"\"') %}{% for i in range(40) %}{% set ns.x = ns.x|tojson|tojson %}{% endfor %}"),
                ("indent bomb", "{{ 'a\nb\nc'|indent(100000000) }}"),
                ("indent of json", "{{ [[1]]|tojson(indent=1000000000) }}"),
                ("indent again and again", "{% set ns = namespace(x='a\na') %}{% for i in range(100000) %}{% set ns.x = ns.x|indent(1000) %}{% endfor %}"),
                ("output bomb", "{% for i in range(99999) %}{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' }}{% endfor %}"),
                ("captured output", "{% for i in range(99999) %}{% set x %}aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa{% endset %}{% endfor %}"),
                ("endless macro", "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"),
                ("two endless macros", "{% macro f() %}{{ g() }}{% endmacro %}{% macro g() %}{{ f() }}{% endmacro %}{{ f() }}"),
                ("branching macro", "{% macro f(n) %}{% if n %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}"),
                ("macro in its own default", "{% macro f(x=f()) %}{% endmacro %}{{ f() }}"),
                ("endless caller", "{% macro f() %}{% call f() %}{% endcall %}{% endmacro %}{{ f() }}"),
                ("deep parentheses", "{{ " + Deep("(", "1", ")", 5000) + " }}"),
                ("deep lists", "{{ " + Deep("[", "1", "]", 5000) + " }}"),
                ("deep mappings", "{{ " + Deep("{'a': ", "1", "}", 5000) + " }}"),
                ("deep not", "{{ " + Deep("not ", "1", "", 5000) + " }}"),
                ("deep minus", "{{ " + Deep("-", "1", "", 5000) + " }}"),
                ("deep calls", "{{ " + Deep("f(", "1", ")", 5000) + " }}"),
                ("deep if", Deep("{% if 1 %}", "x", "{% endif %}", 5000)),
                ("deep for", Deep("{% for i in [1] %}", "x", "{% endfor %}", 5000)),
                ("deep else", Deep("{{ 1 if 0 else ", "1", " }}", 1) + "{{ " + Deep("1 if 0 else ", "1", "", 5000) + " }}"),
                ("deep set targets", "{% set " + Deep("(", "a", ")", 5000) + " = 1 %}"),
                ("long sum", "{{ 1" + Deep(" + 1", "", "", 100_000) + " }}"),
                ("long filters", "{{ 'a'" + Deep("|upper", "", "", 100_000) + " }}"),
                ("long attributes", "{{ a" + Deep(".a", "", "", 100_000) + " }}"),
                ("long subscripts", "{{ a" + Deep("[0]", "", "", 100_000) + " }}"),
                ("deep value", "{% set ns = namespace(x=[]) %}{% for i in range(10000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}"),
                ("deep value as json", "{% set ns = namespace(x={}) %}{% for i in range(10000) %}{% set ns.x = {'a': ns.x} %}{% endfor %}{{ ns.x|tojson }}"),
                ("deep values compared", "{% set ns = namespace(x=[], y=[]) %}{% for i in range(10000) %}{% set ns.x = [ns.x] %}{% set ns.y = [ns.y] %}{% endfor %}{{ ns.x == ns.y }}"),
                ("deep values in order", "{% set ns = namespace(x=[], y=[1]) %}{% for i in range(10000) %}{% set ns.x = [ns.x] %}{% set ns.y = [ns.y] %}{% endfor %}{{ ns.x < ns.y }}"),
                ("list in itself", "{% set l = [] %}{% set _ = l.append(l) %}{{ l }}"),
                ("list in itself as json", "{% set l = [] %}{% set _ = l.append(l) %}{{ l|tojson }}"),
                ("list in itself compared", "{% set l = [] %}{% set _ = l.append(l) %}{% set m = [] %}{% set _ = m.append(m) %}{{ l == m }}"),
                ("namespace in itself", "{% set ns = namespace() %}{% set ns.x = ns %}{{ ns }}"),
                ("big power", "{{ 10 ** 10000000000 }}"),
                ("power of powers", "{{ 9 ** 9 ** 9 ** 9 }}"),
                ("big product", "{{ 9223372036854775807 * 9223372036854775807 }}"),
                ("smallest divided", "{{ (-9223372036854775807 - 1) // -1 }}"),
                ("class of a text", "{{ ''.__class__.__mro__ }}"),
                ("subclasses", "{{ ''.__class__.__base__.__subclasses__() }}"),
                ("class by filter", "{{ ''|attr('__class__') }}"),
                ("class by subscript", "{{ ''['__class__']['__mro__'] }}"),
                ("class of a list", "{{ [].__class__.__name__.__len__ }}"),
                ("globals of a function", "{{ raise_exception.__globals__['os'] }}"),
                ("globals of a macro", "{% macro f() %}{% endmacro %}{{ f.__globals__.x }}"),
                ("environment", "{{ self.__init__.__globals__ }}"),
                ("builtins of a loop", "{% for i in [1] %}{{ loop.__class__.x }}{% endfor %}"),
                ("format of an attribute", "{{ '{0.__class__}'.format('x') }}"),
                ("format of an item", "{{ '{0[a]}'.format({'a': 1}) }}"),
                ("format with a width", "{{ '{:1000000000}'.format('x') }}"),
                ("format with a named attribute", "{{ '{x.__init__.__globals__}'.format(x=range) }}"),
                ("percent with a width", "{{ '%1000000000s' % 'x' }}"),
                ("format_map", "{{ '{x}'.format_map({'x': 1}) }}"),
                ("include a file", "{% include '/etc/passwd' %}"),
                ("import a file", "{% import 'os' as os %}"),
                ("extend a file", "{% extends '/etc/passwd' %}"),
                ("change the conversation", "{{ messages.append(1) }}"),
                ("change a message", "{% set messages.x = 1 %}"),
                ("truncate far", "{% for i in range(100000) %}{% set x = ('a' * 100000)|truncate(5) %}{% endfor %}"),
                ("batch fill", "{{ [1]|batch(1000000000, 'x')|list }}"),
                ("slice of many", "{{ [1]|slice(1000000000)|list }}"),
                ("sort of many", "{% for i in range(1000) %}{% set x = range(10000)|sort %}{% endfor %}"),
                ("search in long text", "{% set t = 'a' * 1000000 %}{% for i in range(100000) %}{{ 'b' in t }}{% endfor %}"),
                ("long texts compared", "{% set t = 'a' * 1000000 %}{% set u = 'a' * 1000000 %}{% for i in range(100000) %}{{ t == u }}{% endfor %}"),
                ("split of long text", "{% set t = 'a ' * 1000000 %}{% for i in range(1000) %}{% set x = t.split() %}{% endfor %}"),
                ("characters of long text", "{% set t = 'a' * 1000000 %}{% for i in range(1000) %}{% set x = t|list %}{% endfor %}"),
                ("upper case of long text", "{% set t = 'a' * 1000000 %}{% for i in range(1000) %}{% set x = t|upper %}{% endfor %}"),
                ("too long a template", new string('x', TemplateParser.LongestTemplate + 1)),
                ("half a surrogate pair", "{{ '\\ud800' }}"),
                ("no end of a tag", "{{ " + new string('(', 100_000)),
                ("many open tags", string.Concat(Enumerable.Repeat("{% if x ", 20_000))),
            ];
            foreach (var (name, template) in all) cases.Add(name, template);
            return cases;
        }
    }

    private static TemplateText Render(string template) =>
        new Template(template).Render([new("messages", new TemplateList([TemplateText.Data("x")], isData: true)), new("a", null)], SystemClock.Instance);

    [Theory, MemberData(nameof(Refused))]
    public void A_hostile_template_is_refused_in_time(string name, string template)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        var time = Stopwatch.StartNew();
        var error = Assert.Throws<TemplateException>(() => Render(template));
        Assert.True(error.Line >= 1, name);
        Assert.True(time.Elapsed.TotalSeconds < 10, $"{name} took {time.Elapsed}");
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 2L << 30, $"{name} allocated {(GC.GetAllocatedBytesForCurrentThread() - before) >> 20} MiB");
    }

    [Fact]
    public void There_are_at_least_sixty_hostile_templates() => Assert.True(Refused.Count >= 60);

    [Theory]
    [InlineData("{{ ''.__class__ }}", "")]
    [InlineData("{{ messages.__class__ is defined }}", "False")]
    [InlineData("{{ range.__globals__ is defined }}", "False")]
    [InlineData("{{ messages[0] }}", "x")]
    [InlineData("{{ self is defined }}{{ environment is defined }}{{ config is defined }}", "FalseFalseFalse")]
    public void What_is_not_there_is_undefined(string template, string expected) => Assert.Equal(expected, Render(template).Value);

    [Fact]
    public void Templates_inside_of_content_are_text()
    {
        const string content = "{{ 7 * 7 }}{% for i in range(10) %}x{% endfor %}{# c #}{{ raise_exception('x') }}";
        Assert.Equal("[" + content + "]", new Template("[{{ x }}]").Render([new("x", TemplateText.Data(content))], SystemClock.Instance).Value);
    }

    [Fact]
    public void A_rendering_that_takes_too_long_ends()
    {
        var limits = new TemplateLimits(Steps: long.MaxValue, Seconds: 0);
        var error = Assert.Throws<TemplateException>(() => new Template("{% for i in range(99999) %}{% endfor %}").Render([], SystemClock.Instance, limits));
        Assert.Contains("seconds", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Thousands_of_mutated_templates_give_text_or_one_kind_of_error()
    {
        string[] seeds = [.. TemplateFiles.Lines("constructs.jsonl").Select(line => line.GetProperty("template").GetString()!),
            .. Directory.EnumerateFiles(Path.Combine(TemplateFiles.Folder, "Families"), "*.jinja").Order(StringComparer.Ordinal).Select(File.ReadAllText)];
        string[] bits = ["{{", "}}", "{%", "%}", "{#", "#}", "-", "+", "|", "(", ")", "[", "]", "{", "}", "'", "\"", "\\", "\n", " if ", " else ", " for ", " in ", " is ", " not ", "endfor", "endif", "set ",
            "~", "*", "**", "//", "%", "0", "9223372036854775807", "1e308", "range(", "|tojson", "|join", "|sort", ".x", "[0]", "[::-1]", "none", "\ud83d\ude00", "é", "\0", "macro ", "call ", "loop.index", "|map("];
        var variables = TemplateFiles.Variables(TemplateFiles.Json("variables.json"));
        var limits = new TemplateLimits(Steps: 20_000, OutputBytes: 1 << 18, Seconds: 5);
        var random = new CounterRandom(2026, 7);
        ulong index = 0;
        int rendered = 0, refused = 0;
        for (int round = 0; round < 6000; round++)
        {
            string template = seeds[random.Below(index++, (uint)seeds.Length)];
            if (template.Length > 2000) template = template[..2000];
            for (uint change = 0, changes = 1 + random.Below(index++, 4); change < changes; change++)
            {
                int at = (int)random.Below(index++, (uint)template.Length + 1), length = Math.Min((int)random.Below(index++, 6), template.Length - at);
                template = random.Below(index++, 3) switch
                {
                    0 => template.Remove(at, length),
                    1 => template.Insert(at, bits[random.Below(index++, (uint)bits.Length)]),
                    _ => template.Insert(at, template.Substring(at, length)),
                };
            }
            try
            {
                _ = new Template(template).Render(variables, TemplateFiles.Clock, limits);
                rendered++;
            }
            catch (TemplateException)
            {
                refused++;
            }
        }
        Assert.True(rendered > 500 && refused > 500, $"{rendered} rendered, {refused} refused");
    }
}
