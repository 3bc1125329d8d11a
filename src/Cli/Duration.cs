using System.Globalization;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Cli;

/// <summary>Spans of time as a person writes them: <c>90s</c>, <c>10m</c>, <c>2h</c>, <c>1d</c>.</summary>
internal static class Duration
{
    private static readonly (char Unit, double Seconds)[] _units = [('s', 1), ('m', 60), ('h', 3600), ('d', 86400)];

    public static TimeSpan Parse(string text, string option)
    {
        foreach (var (unit, seconds) in _units)
        {
            if (text.EndsWith(unit) && double.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double number)
                && number * seconds is > 0 and < 1e9)
                return TimeSpan.FromSeconds(number * seconds);
        }
        throw new UserErrorException($"{option} is '{text}'; expected a span of time such as 90s, 10m, 2h or 1d.");
    }
}
