using System.Text.Encodings.Web;
using System.Text.Json;

namespace OpenEuroLLM.Cli;

/// <summary>How <c>--json</c> writes: one object a line, letters unescaped.</summary>
internal static class JsonOutput
{
    public static JsonSerializerOptions Compact { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
