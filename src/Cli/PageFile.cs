using System.Text;
using OpenEuroLLM.Core;

namespace OpenEuroLLM.Cli;

/// <summary>Writes the page that <c>--html</c> asks for.</summary>
internal static class PageFile
{
    /// <exception cref="UserErrorException">The file cannot be written.</exception>
    public static void Write(string file, string page)
    {
        try
        {
            File.WriteAllText(file, page, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false));
        }
        catch (Exception error) when (StorageFailure.Is(error))
        {
            throw StorageFailure.Explain(error, file);
        }
    }
}
