using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace OpenEuroLLM.Transparency;

/// <summary>Numbers as documents show them; the same on every machine. Absent is an en dash.</summary>
internal static class Figure
{
    public const string Absent = "–";

    public static double? Number(JsonNode? node) =>
        node is JsonValue value && value.GetValueKind() == JsonValueKind.Number && double.IsFinite((double)value) ? (double)value : null;

    public static string Whole(long? value) => value?.ToString("N0", CultureInfo.InvariantCulture) ?? Absent;

    public static string Fixed(double? value, int places) =>
        value is double number ? number.ToString("F" + places.ToString(CultureInfo.InvariantCulture), CultureInfo.InvariantCulture) : Absent;

    /// <summary>Three significant digits, with an exponent when large or small: <c>1.23e15</c>.</summary>
    public static string Short(double? value)
    {
        if (value is not double number) return Absent;
        if (number == 0) return "0";
        double magnitude = Math.Abs(number);
        return magnitude is >= 1e-3 and < 1e6
            ? number.ToString("G3", CultureInfo.InvariantCulture) is var text && text.Contains('E', StringComparison.Ordinal) ? number.ToString("F0", CultureInfo.InvariantCulture) : text
            : number.ToString("0.00e0", CultureInfo.InvariantCulture);
    }

    public static string Bytes(long? bytes) => bytes switch
    {
        null => Absent,
        < 1000 => $"{Whole(bytes)} B",
        < 1_000_000 => $"{Fixed(bytes / 1e3, 1)} kB",
        < 1_000_000_000 => $"{Fixed(bytes / 1e6, 2)} MB",
        _ => $"{Fixed(bytes / 1e9, 2)} GB",
    };

    public static string Duration(double? seconds) => seconds switch
    {
        null => Absent,
        < 120 => $"{Fixed(seconds, 1)} s",
        < 7200 => $"{Fixed(seconds / 60, 1)} min",
        _ => $"{Fixed(seconds / 3600, 1)} h",
    };

    public static string Energy(double? joules) => joules is double value ? $"{Short(value)} J ({Short(value / 3.6e6)} kWh)" : "not measured";
}
